//! The table of accepted sockets, with the state of the search in the stream of each.

use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};

use crate::scanner::State;

/// Number of entries: the kernel's usual `fs.nr_open`. Higher descriptors are not tracked.
pub const FD_CAPACITY: usize = 1 << 20;

/// State of an accepted socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The state of the search in its stream.
    Open(State),
    /// A word was found: the program receives nothing more from it.
    Blocked,
}

/// The entry of a blocked stream. All entries of open streams are smaller.
const BLOCKED: u32 = u32::MAX;

/// One entry for each descriptor: 0 if it is not an accepted socket, all bits set if its stream is blocked, else the
/// scanner's state plus one.
///
/// Every operation is one atomic access. Two threads that receive from one socket at the same time may miss a word that
/// was split between them, because the order of the two parts is unknown.
#[derive(Debug)]
pub struct FdTable<'a> {
    entries: &'a [AtomicU32],
    /// Highest descriptor that was ever tracked; it bounds the work of `close_range`.
    highest: AtomicI32,
}

impl<'a> FdTable<'a> {
    /// Creates a table in zeroed memory.
    #[must_use]
    pub const fn new(entries: &'a [AtomicU32]) -> Self {
        Self {
            entries,
            highest: AtomicI32::new(-1),
        }
    }

    fn entry(&self, fd: i32) -> Option<&'a AtomicU32> {
        self.entries.get(usize::try_from(fd).ok()?)
    }

    /// Records the result of an accept call. Returns false if the result is a socket whose descriptor is beyond the
    /// table.
    #[inline]
    pub fn accepted(&self, fd: i32) -> bool {
        if fd < 0 {
            return true;
        }
        let Some(entry) = self.entry(fd) else { return false };
        self.highest.fetch_max(fd, Relaxed);
        entry.store(1 + u32::from(State::START.raw()), Relaxed);
        true
    }

    /// Returns the state of an accepted socket, `None` for any other descriptor.
    #[inline]
    #[must_use]
    pub fn stream(&self, fd: i32) -> Option<Stream> {
        match self.entry(fd)?.load(Relaxed) {
            0 => None,
            BLOCKED => Some(Stream::Blocked),
            entry => Some(Stream::Open(State::from_raw((entry - 1) as u16))),
        }
    }

    /// Blocks an accepted socket until it is closed.
    pub fn block(&self, fd: i32) {
        if let Some(entry) = self.entry(fd) {
            // A value of 0 means that another thread has closed the descriptor, which may soon belong to another
            // connection.
            let _ = entry.fetch_update(Relaxed, Relaxed, |value| (value != 0).then_some(BLOCKED));
        }
    }

    /// Stores the search state, unless the descriptor was closed in the meantime.
    #[inline]
    pub fn advance(&self, fd: i32, from: State, to: State) {
        if from != to
            && let Some(entry) = self.entry(fd)
        {
            let (from, to) = (1 + u32::from(from.raw()), 1 + u32::from(to.raw()));
            // A failure means that a concurrent receive or close stored a newer value, which stays.
            let _ = entry.compare_exchange(from, to, Relaxed, Relaxed);
        }
    }

    /// Removes a descriptor. Call it before the real close: after the close another thread may get the same number.
    #[inline]
    pub fn closed(&self, fd: i32) {
        if let Some(entry) = self.entry(fd)
            && entry.load(Relaxed) != 0
        {
            entry.store(0, Relaxed);
        }
    }

    /// Removes the descriptors from `first` to `last`, both included.
    pub fn closed_range(&self, first: u32, last: u32) {
        let highest = u32::try_from(self.highest.load(Relaxed)).map_or(0, |highest| highest + 1);
        for fd in first..last.saturating_add(1).min(highest) {
            self.closed(fd.cast_signed());
        }
    }

    /// Records that `new` is a duplicate of `old`. A negative `new`, the result of a failed dup, changes nothing.
    pub fn duplicated(&self, old: i32, new: i32) {
        if old == new || new < 0 {
            return;
        }
        let value = self.entry(old).map_or(0, |entry| entry.load(Relaxed));
        if value == 0 {
            self.closed(new);
        } else if let Some(entry) = self.entry(new) {
            self.highest.fetch_max(new, Relaxed);
            entry.store(value, Relaxed);
        }
    }
}
