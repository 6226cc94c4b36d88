//! The log of hits: a file opened at load, never a visible error. One append per hit; or, where the file is a ring made
//! by `readhook_telemetry`, one line in shared memory and no system call.
#![expect(unsafe_code, reason = "calls into libc")]

use core::ffi::{CStr, c_int};
use core::sync::atomic::{AtomicI32, Ordering::Relaxed};

use readhook_core::Line;
use readhook_telemetry::LogRing;

use crate::{errno, mapping, next};

/// Out of the way of the program's own descriptors, which then have the numbers that they have without the hook, and
/// low enough that the kernel's descriptor table stays small.
const WANTED_FD: c_int = 1000;
const NONE: c_int = -1;

/// Where hits are written.
pub(crate) struct Log {
    ring: Option<LogRing>,
    fd: AtomicI32,
}

impl Log {
    /// Opens the file; with `None`, or when it cannot be used, every hit is dropped.
    ///
    /// Pipes and sockets are not used: a write to a pipe or socket can raise a signal. For the same
    /// reason there is no log under a file-size limit.
    pub(crate) fn open(path: Option<&CStr>) -> Self {
        let ring = path.and_then(mapping::log_ring);
        let path = path.filter(|_| ring.is_none() && !size_is_limited());
        Self {
            ring,
            fd: AtomicI32::new(path.map_or(NONE, open)),
        }
    }

    /// Whether this descriptor is the log's, which the program cannot know of: for it, it is not open.
    pub(crate) fn owns(&self, fd: c_int) -> bool {
        fd != NONE && fd == self.fd.load(Relaxed)
    }

    /// The program has taken the descriptors `first` to `last`.
    pub(crate) fn taken(&self, first: c_int, last: c_int) {
        let fd = self.fd.load(Relaxed);
        if (first..=last).contains(&fd) {
            self.fd.store(NONE, Relaxed);
        }
    }

    /// Appends a line in one write; false when it could not.
    pub(crate) fn append(&self, line: &Line) -> bool {
        let bytes = line.as_bytes();
        if let Some(ring) = &self.ring {
            return ring.append(bytes);
        }
        let fd = self.fd.load(Relaxed);
        fd != NONE
            && errno::preserved(|| {
                // SAFETY: the buffer is live and of this length.
                unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) }
            }) == bytes.len().cast_signed()
    }
}

/// A program closes what it may think is open; the number is not its own.
pub(crate) fn not_open() -> c_int {
    errno::fail(libc::EBADF)
}

fn open(path: &CStr) -> c_int {
    let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    // SAFETY: the path is a C string; the mode is passed as O_CREAT demands.
    let low = unsafe { libc::open(path.as_ptr(), flags, 0o644) };
    if low < 0 {
        return NONE;
    }
    let high = if is_usable(low) { raise(low) } else { NONE };
    if high != low
        && let Some(close) = next::close()
    {
        // SAFETY: the descriptor is ours.
        unsafe { close(low) };
    }
    high
}

/// The same file under a high number; under its own when there is none.
fn raise(low: c_int) -> c_int {
    let Some(fcntl) = next::fcntl() else { return low };
    // SAFETY: F_DUPFD_CLOEXEC takes an int.
    let high = unsafe { fcntl(low, libc::F_DUPFD_CLOEXEC, WANTED_FD) };
    if high < 0 { low } else { high }
}

/// Files and most devices can be sought in, pipes and sockets cannot; nor can terminals, which are usable. Not by fstat,
/// which before glibc 2.33 there is not to link with.
fn is_usable(fd: c_int) -> bool {
    // SAFETY: lseek has no preconditions.
    let seekable = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) } >= 0;
    // SAFETY: nor has isatty.
    seekable || unsafe { libc::isatty(fd) } == 1
}

fn size_is_limited() -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is to a live rlimit.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) } == 0;
    !known || limit.rlim_cur != libc::RLIM_INFINITY
}
