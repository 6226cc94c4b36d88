#![expect(unsafe_code, reason = "a writer is made from an address")]

extern crate std;

use core::ptr::NonNull;
use std::string::{String, ToString};
use std::vec::Vec;

use crate::{
    Call, Counter, FUNCTIONS, Function, LayoutError, SearchVerdict, View, Writer, file_len, header, initialise,
};
use crate::{LogRing, log_ring_header, log_ring_len, log_ring_texts};

/// Returns a buffer that is aligned like a mapping.
fn file(capacity: u32) -> Vec<u64> {
    let mut words = std::vec![u64::MAX; (file_len(capacity) / 8) as usize];
    initialise(bytes_mut(&mut words), capacity).unwrap();
    words
}

fn bytes_mut(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: this is the same memory as bytes, borrowed as long as the words.
    unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 8) }
}

fn writer(words: &mut [u64]) -> Writer {
    // SAFETY: the vector outlives the writer in each test, and only writers access it in the meantime.
    unsafe { Writer::new(NonNull::new(words.as_mut_ptr().cast()).unwrap(), words.len() * 8) }.unwrap()
}

fn call(bytes: i64) -> Call {
    Call {
        start_ns: 7,
        real_ns: u64::MAX,
        own_ns: 5,
        spun_ns: 6,
        bytes,
        fd: -3,
        thread: 9,
        function: Function::RecvFrom,
        verdict: SearchVerdict::Hit,
    }
}

#[test]
fn what_is_written_is_read() {
    let mut words = file(2);
    let writer = writer(&mut words);
    writer.attach(3);
    writer.count_call(Function::Syscall);
    writer.add(Counter::SpunNs, 40);
    writer.add(Counter::SpunNs, 2);
    for bytes in [10, 20, 30] {
        writer.record(&call(bytes));
    }
    let view = View::parse(bytes_mut(&mut words)).unwrap();
    let counters = view.counters();
    assert_eq!(
        (counters.mode, counters.attached, counters.spun_ns, counters.hits),
        (3, 1, 42, 0)
    );
    assert_eq!((counters.records_written, counters.records_dropped), (2, 1));
    assert_eq!(counters.calls.iter().sum::<u64>(), 1);
    assert_eq!(
        (counters.calls_of("syscall"), counters.calls_of("open")),
        (Some(1), None)
    );
    let records: Vec<_> = view.records().collect();
    assert_eq!(
        records.iter().map(|r| (r.sequence, r.bytes)).collect::<Vec<_>>(),
        [(0, 10), (1, 20)]
    );
    let first = records[0];
    assert_eq!(
        (first.real_ns, first.own_ns, first.spun_ns, first.fd),
        (u32::MAX, 5, 6, -3)
    );
    assert_eq!(
        (FUNCTIONS[usize::from(first.function)], first.verdict, first.thread),
        ("recvfrom", 2, 9)
    );
}

#[test]
fn threads_lose_nothing() {
    let mut words = file(1000);
    let address = words.as_mut_ptr() as usize;
    let len = words.len() * 8;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                // SAFETY: the vector outlives the scope.
                let writer = unsafe { Writer::new(NonNull::new(address as *mut u8).unwrap(), len) }.unwrap();
                for bytes in 0..300 {
                    writer.record(&call(bytes));
                }
            });
        }
    });
    let view = View::parse(bytes_mut(&mut words)).unwrap();
    assert_eq!(
        (view.counters().records_written, view.counters().records_dropped),
        (1000, 200)
    );
    assert!(view.records().map(|record| record.sequence).eq(0..1000));
}

#[test]
fn other_files_are_refused_with_the_reason() {
    assert_eq!(
        View::parse(&[]).unwrap_err(),
        LayoutError::Length { needed: 256, found: 0 }
    );
    assert_eq!(View::parse(&[0; 300]).unwrap_err(), LayoutError::Foreign);
    let mut newer = header(0);
    newer[8] += 1;
    assert!(
        View::parse(&newer)
            .unwrap_err()
            .to_string()
            .contains("layout version 3, expected 2")
    );
    let cut = header(1);
    assert!(
        View::parse(&cut)
            .unwrap_err()
            .to_string()
            .contains("has 256 bytes, expected at least 304")
    );
    assert!(initialise(&mut [0; 300], 1).is_err());
    assert_eq!(View::parse(&header(0)).unwrap().records().count(), 0);
}

#[test]
#[expect(unsafe_code, reason = "the ring is known by its address only")]
fn a_log_ring_keeps_what_it_has_room_for() {
    let mut file = std::vec![0_u64; log_ring_len(400).div_ceil(8) as usize];
    for (place, bytes) in file.iter_mut().zip(log_ring_header(400).as_chunks().0) {
        *place = u64::from_ne_bytes(*bytes);
    }
    let len = file.len() * 8;
    let base = std::ptr::NonNull::from(file.as_mut_slice()).cast();
    // SAFETY: the buffer is live and aligned, and only the ring writes to it until it is read.
    let ring = unsafe { LogRing::new(base, len) }.expect("a ring");
    let address = std::sync::atomic::AtomicUsize::new(0);
    let append = |line: &str| {
        address.fetch_add(
            usize::from(ring.append(line.as_bytes())),
            std::sync::atomic::Ordering::Relaxed,
        );
    };
    assert!(!ring.append(&[b'x'; 189]));
    for number in 0..450 {
        append(&std::format!("line {number}\n"));
    }
    assert_eq!(address.into_inner(), 400);
    let bytes: Vec<u8> = file.iter().flat_map(|number| number.to_ne_bytes()).collect();
    let texts: Vec<String> = log_ring_texts(&bytes)
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    assert_eq!(
        (texts.len(), texts[0].as_str(), texts[399].as_str()),
        (400, "line 0\n", "line 399\n")
    );
    file[0] = 0;
    let base = std::ptr::NonNull::from(file.as_mut_slice()).cast();
    // SAFETY: the buffer is live and aligned, and only the ring writes to it.
    assert!(unsafe { LogRing::new(base, len) }.is_none());
}
