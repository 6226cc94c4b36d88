//! Which descriptors are accepted sockets, and where the search in each one's stream stands.

use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};

use crate::scanner::State;

/// Entries that the hook reserves: the kernel's usual `fs.nr_open`. Higher descriptors are not tracked.
pub const FD_CAPACITY: usize = 1 << 20;

/// What is known of an accepted socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Where the search in it stands.
    Open(State),
    /// A word was found: nothing of it is to reach the program any more.
    Blocked,
}

/// The entry of a blocked stream; a state plus one is never as large.
const BLOCKED: u32 = u32::MAX;

/// One entry per descriptor: 0 for not an accepted socket, else the scanner's state plus one, or all bits where the stream
/// is blocked.
///
/// Every operation is one atomic access. Two threads that receive from one socket at once may lose a word that was
/// split between them; which of the two parts came first is not known to anybody then.
#[derive(Debug)]
pub struct FdTable<'a> {
    entries: &'a [AtomicU32],
    /// Highest descriptor ever tracked, which bounds the work of `close_range`.
    highest: AtomicI32,
}

impl<'a> FdTable<'a> {
    /// Takes zeroed memory into use.
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

    /// Notes the result of an accept. False when it is a socket beyond the table.
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

    /// An accepted socket's stream, `None` for any other descriptor.
    #[inline]
    #[must_use]
    pub fn stream(&self, fd: i32) -> Option<Stream> {
        match self.entry(fd)?.load(Relaxed) {
            0 => None,
            BLOCKED => Some(Stream::Blocked),
            entry => Some(Stream::Open(State::from_raw((entry - 1) as u16))),
        }
    }

    /// Blocks an accepted socket, until it is closed.
    pub fn block(&self, fd: i32) {
        if let Some(entry) = self.entry(fd) {
            // Closed by another thread meanwhile: the number may be another connection's.
            let _ = entry.fetch_update(Relaxed, Relaxed, |value| (value != 0).then_some(BLOCKED));
        }
    }

    /// Keeps the search state, unless the descriptor was closed meanwhile.
    #[inline]
    pub fn advance(&self, fd: i32, from: State, to: State) {
        if from != to
            && let Some(entry) = self.entry(fd)
        {
            let (from, to) = (1 + u32::from(from.raw()), 1 + u32::from(to.raw()));
            // Lost to a concurrent receive or close: theirs is the newer truth.
            let _ = entry.compare_exchange(from, to, Relaxed, Relaxed);
        }
    }

    /// Forgets a descriptor. To be called before the real close, after which another thread may get the number.
    #[inline]
    pub fn closed(&self, fd: i32) {
        if let Some(entry) = self.entry(fd)
            && entry.load(Relaxed) != 0
        {
            entry.store(0, Relaxed);
        }
    }

    /// Forgets the descriptors `first` to `last`, both included.
    pub fn closed_range(&self, first: u32, last: u32) {
        let highest = u32::try_from(self.highest.load(Relaxed)).map_or(0, |highest| highest + 1);
        for fd in first..last.saturating_add(1).min(highest) {
            self.closed(fd.cast_signed());
        }
    }

    /// Notes that `new` now is what `old` is. The result of a dup that failed is negative and changes nothing.
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
