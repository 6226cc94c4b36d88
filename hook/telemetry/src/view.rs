//! The reader of a telemetry file: parses bytes to counters and records.

use core::mem::offset_of;

use crate::layout::{COUNTERS, FUNCTIONS, HEADER_LEN, Header, LayoutError, RECORD_LEN, Slot, check};
use crate::writer::Counter;

/// The content of a telemetry file. Use a copy (`std::fs::read`), because a mapping changes while the hook writes.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    header: &'a [u8],
    records: &'a [u8],
}

/// The counters, summed over all hooked processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Mode of the process that attached last, as numbered by `readhook_core::Mode`: off 0, forward 1, track 2, scan 3,
    /// log 4, block 5, upstream 6, delay 7.
    pub mode: u8,
    /// Number of processes that loaded the hook with this file.
    pub attached: u32,
    /// Number of calls of each function, in the order of [`FUNCTIONS`].
    pub calls: [u64; FUNCTIONS.len()],
    /// Number of sockets that entered the fd table by accept or accept4.
    pub sockets_accepted: u64,
    /// Number of accepted sockets beyond the fd table. Their payloads are passed on unseen.
    pub sockets_untracked: u64,
    /// Number of payload receives: receive calls on accepted sockets that returned more than zero bytes, without
    /// peeking.
    pub payload_receives: u64,
    /// Bytes of all payload receives.
    pub payload_bytes: u64,
    /// Number of payloads in which a word was found.
    pub hits: u64,
    /// Number of hits that were written to the log.
    pub log_written: u64,
    /// Number of hits that could not be written to the log.
    pub log_dropped: u64,
    /// Time in the busy wait of mode `delay`, ns.
    pub spun_ns: u64,
    /// Number of receive calls whose payload was not delivered to the program.
    pub blocked: u64,
    /// Number of records in the file.
    pub records_written: u64,
    /// Number of payload receives without a record, because the file was full.
    pub records_dropped: u64,
}

impl Counters {
    /// Returns the number of calls of the function with this name, `None` if no such function is hooked.
    #[must_use]
    pub fn calls_of(&self, function: &str) -> Option<u64> {
        let index = FUNCTIONS.iter().position(|name| *name == function)?;
        Some(self.calls[index])
    }
}

/// A payload receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Number of the payload receive, from 0, over all threads and processes.
    pub sequence: u64,
    /// Time of `CLOCK_MONOTONIC` before the real call, ns.
    pub start_ns: u64,
    /// Duration of the real call, waiting included, ns (saturates at 4.29 s).
    pub real_ns: u32,
    /// Duration of the hook's own work after the real call, without the busy wait, ns (saturates).
    pub own_ns: u32,
    /// Duration of the busy wait of mode `delay`, from the return of the real call, ns (saturates).
    pub spun_ns: u32,
    /// Number of received bytes.
    pub bytes: i64,
    /// Descriptor of the socket.
    pub fd: i32,
    /// Number of the thread, computed from its thread pointer: constant for a live thread, and unique among live
    /// threads. It is not the kernel's thread id, which would cost a system call.
    pub thread: u32,
    /// Index in [`FUNCTIONS`].
    pub function: u8,
    /// Verdict: 0 not searched, 1 clean, 2 hit, 3 blocked.
    pub verdict: u8,
}

impl<'a> View<'a> {
    /// Parses a telemetry file.
    ///
    /// # Errors
    /// [`LayoutError`] if the bytes are not a complete telemetry file of this version.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LayoutError> {
        let found = bytes.len() as u64;
        let header = bytes.first_chunk().ok_or(LayoutError::Length {
            needed: HEADER_LEN as u64,
            found,
        })?;
        let capacity = check(header, found)? as usize;
        Ok(Self {
            header,
            records: &bytes[HEADER_LEN..HEADER_LEN + capacity * RECORD_LEN],
        })
    }

    /// Returns the number of records for which the file has room.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        (self.records.len() / RECORD_LEN) as u32
    }

    /// Returns the counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let claimed = u64_at(self.header, offset_of!(Header, claimed));
        let written = claimed.min(u64::from(self.capacity()));
        let single = |counter: Counter| {
            const { assert!(Counter::Blocked as usize + 1 == COUNTERS) };
            u64_at(self.header, offset_of!(Header, counters) + 8 * counter as usize)
        };
        Counters {
            mode: self.header[offset_of!(Header, mode)],
            attached: u32_at(self.header, offset_of!(Header, attached)),
            calls: core::array::from_fn(|index| u64_at(self.header, offset_of!(Header, calls) + 8 * index)),
            sockets_accepted: single(Counter::SocketsAccepted),
            sockets_untracked: single(Counter::SocketsUntracked),
            payload_receives: single(Counter::PayloadReceives),
            payload_bytes: single(Counter::PayloadBytes),
            hits: single(Counter::Hits),
            log_written: single(Counter::LogWritten),
            log_dropped: single(Counter::LogDropped),
            spun_ns: single(Counter::SpunNs),
            blocked: single(Counter::Blocked),
            records_written: written,
            records_dropped: claimed - written,
        }
    }

    /// Returns the finished records, in the order in which their calls returned. Skips a record that a killed thread
    /// left unfinished.
    pub fn records(&self) -> impl Iterator<Item = Record> + use<'a> {
        self.records.chunks_exact(RECORD_LEN).filter_map(|slot| {
            let sequence = u64_at(slot, offset_of!(Slot, published)).checked_sub(1)?;
            Some(Record {
                sequence,
                start_ns: u64_at(slot, offset_of!(Slot, start_ns)),
                real_ns: u32_at(slot, offset_of!(Slot, real_ns)),
                own_ns: u32_at(slot, offset_of!(Slot, own_ns)),
                spun_ns: u32_at(slot, offset_of!(Slot, spun_ns)),
                bytes: u64_at(slot, offset_of!(Slot, bytes)).cast_signed(),
                fd: u32_at(slot, offset_of!(Slot, fd)).cast_signed(),
                thread: u32_at(slot, offset_of!(Slot, thread)),
                function: slot[offset_of!(Slot, function)],
                verdict: slot[offset_of!(Slot, verdict)],
            })
        })
    }
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_ne_bytes(core::array::from_fn(|index| bytes[offset + index]))
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_ne_bytes(core::array::from_fn(|index| bytes[offset + index]))
}
