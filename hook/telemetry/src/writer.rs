//! The writer of a telemetry file: writes atomically to a mapping, from any thread, signal handler or forked process.
#![expect(unsafe_code, reason = "the file is mapped memory, known by its address only")]

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Relaxed, Release};

use crate::layout::{Function, HEADER_LEN, Header, LayoutError, RECORD_LEN, SearchVerdict, Slot, check};

/// The single counters. The field of the same name in [`Counters`](crate::Counters) documents each.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "described at the fields of Counters")]
pub enum Counter {
    SocketsAccepted,
    SocketsUntracked,
    PayloadReceives,
    PayloadBytes,
    Hits,
    LogWritten,
    LogDropped,
    SpunNs,
    Blocked,
}

/// The data of a payload receive. [`Record`](crate::Record) has the units.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "described at the fields of Record")]
pub struct Call {
    pub start_ns: u64,
    pub real_ns: u64,
    pub own_ns: u64,
    pub spun_ns: u64,
    pub bytes: i64,
    pub fd: i32,
    pub thread: u32,
    pub function: Function,
    pub verdict: SearchVerdict,
}

/// Writes to a mapped telemetry file.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    base: NonNull<u8>,
    capacity: u32,
}

impl Writer {
    /// Uses a mapping of `len` bytes at `base`. Does not count the process; [`Self::attach`] does.
    ///
    /// # Errors
    /// [`LayoutError`] if the mapping is not an initialised file of this version.
    ///
    /// # Safety
    /// `base` must be aligned to 8 bytes. The mapping must be readable and writable for `len` bytes as long as the
    /// writer or a copy of it is used. Only telemetry writers may write to it.
    pub unsafe fn new(base: NonNull<u8>, len: usize) -> Result<Self, LayoutError> {
        if len < HEADER_LEN {
            return Err(LayoutError::Length {
                needed: HEADER_LEN as u64,
                found: len as u64,
            });
        }
        // SAFETY: `len` covers the header, and the caller promises that it is readable. The copy keeps no reference.
        let start = unsafe { base.cast::<[u8; HEADER_LEN]>().read() };
        let capacity = check(&start, len as u64)?;
        Ok(Self { base, capacity })
    }

    /// Returns the number of records for which the file has room. With 0 a hook reads no clock and writes counters
    /// only.
    #[inline]
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Counts a process that has loaded the hook in `mode`.
    pub fn attach(&self, mode: u8) {
        self.header().mode.store(mode, Relaxed);
        self.header().attached.fetch_add(1, Relaxed);
    }

    /// Counts a call of a function.
    #[inline]
    pub fn count_call(&self, function: Function) {
        self.header().calls[function as usize].fetch_add(1, Relaxed);
    }

    /// Adds to a counter.
    #[inline]
    pub fn add(&self, counter: Counter, amount: u64) {
        self.header().counters[counter as usize].fetch_add(amount, Relaxed);
    }

    /// Writes a record, or counts it as dropped if the file is full.
    #[inline]
    pub fn record(&self, call: &Call) {
        let sequence = self.header().claimed.fetch_add(1, Relaxed);
        let Some(slot) = self.slot(sequence) else {
            return;
        };
        slot.start_ns.store(call.start_ns, Relaxed);
        slot.bytes.store(call.bytes, Relaxed);
        slot.real_ns.store(saturate(call.real_ns), Relaxed);
        slot.own_ns.store(saturate(call.own_ns), Relaxed);
        slot.spun_ns.store(saturate(call.spun_ns), Relaxed);
        slot.fd.store(call.fd, Relaxed);
        slot.thread.store(call.thread, Relaxed);
        slot.function.store(call.function as u8, Relaxed);
        slot.verdict.store(call.verdict as u8, Relaxed);
        slot.published.store(sequence + 1, Release);
    }

    fn header(&self) -> &Header {
        // SAFETY: the caller of `new` promised an aligned mapping that outlives self, and `new` checked its header. The
        // plain fields are not written after the creation of the file; the others are atomics.
        unsafe { self.base.cast::<Header>().as_ref() }
    }

    fn slot(&self, sequence: u64) -> Option<&Slot> {
        if sequence >= u64::from(self.capacity) {
            return None;
        }
        let offset = HEADER_LEN + sequence as usize * RECORD_LEN;
        // SAFETY: the sequence number is below the capacity, and `check` saw that so many records fit into the mapping.
        let slot = unsafe { self.base.add(offset) }.cast::<Slot>();
        // SAFETY: the offset from the aligned base is a multiple of 8, and all fields except padding are atomics.
        Some(unsafe { slot.as_ref() })
    }
}

fn saturate(duration_ns: u64) -> u32 {
    u32::try_from(duration_ns).unwrap_or(u32::MAX)
}
