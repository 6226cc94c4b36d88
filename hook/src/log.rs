//! The log of hits. The file is opened at load, and the program never sees an error. A hit costs one append; in a ring
//! that `readhook_telemetry` created it costs one line in shared memory and no system call.
#![expect(unsafe_code, reason = "calls into libc")]

use core::ffi::{CStr, c_int};
use core::sync::atomic::{AtomicI32, Ordering::Relaxed};

use readhook_core::Line;
use readhook_telemetry::LogRing;

use crate::{errno, mapping, next};

/// Descriptor of the log. It is high enough that the program's own descriptors get the same numbers as without the
/// hook, and low enough that the kernel's descriptor table stays small.
const WANTED_FD: c_int = 1000;
const NONE: c_int = -1;

/// The place to which hits are written.
pub(crate) struct Log {
    ring: Option<LogRing>,
    fd: AtomicI32,
}

impl Log {
    /// Opens the file. Without a path, or with a file that cannot be used, every hit is dropped.
    ///
    /// Pipes and sockets are refused, because a write to them can raise a signal. For the same reason there is no log
    /// if the process has a file-size limit.
    pub(crate) fn open(path: Option<&CStr>) -> Self {
        let ring = path.and_then(mapping::log_ring);
        let path = path.filter(|_| ring.is_none() && !size_is_limited());
        Self {
            ring,
            fd: AtomicI32::new(path.map_or(NONE, open)),
        }
    }

    /// Returns true if this descriptor is the descriptor of the log. Calls of the program must find this descriptor
    /// closed.
    pub(crate) fn owns(&self, fd: c_int) -> bool {
        fd != NONE && fd == self.fd.load(Relaxed)
    }

    /// Notes that the program now owns the descriptors `first` to `last`.
    pub(crate) fn taken(&self, first: c_int, last: c_int) {
        let fd = self.fd.load(Relaxed);
        if (first..=last).contains(&fd) {
            self.fd.store(NONE, Relaxed);
        }
    }

    /// Appends a line in one write. Returns whether that succeeded.
    pub(crate) fn append(&self, line: &Line) -> bool {
        let bytes = line.as_bytes();
        if let Some(ring) = &self.ring {
            return ring.append(bytes);
        }
        let fd = self.fd.load(Relaxed);
        fd != NONE
            && errno::preserved(|| {
                // SAFETY: the buffer is live and has this length.
                unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) }
            }) == bytes.len().cast_signed()
    }
}

/// Sets errno to `EBADF` and returns -1, as the kernel does for a descriptor that is not open.
pub(crate) fn not_open() -> c_int {
    errno::fail(libc::EBADF)
}

fn open(path: &CStr) -> c_int {
    let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    // SAFETY: the path is a C string, and O_CREAT gets its mode.
    let low = unsafe { libc::open(path.as_ptr(), flags, 0o644) };
    if low < 0 {
        return NONE;
    }
    let high = if is_usable(low) { raise(low) } else { NONE };
    if high != low
        && let Some(close) = next::close()
    {
        // SAFETY: this library opened the descriptor.
        unsafe { close(low) };
    }
    high
}

/// Moves the file to a high descriptor. Returns it, or `low` if there is none.
fn raise(low: c_int) -> c_int {
    let Some(fcntl) = next::fcntl() else { return low };
    // SAFETY: F_DUPFD_CLOEXEC takes an int argument.
    let high = unsafe { fcntl(low, libc::F_DUPFD_CLOEXEC, WANTED_FD) };
    if high < 0 { low } else { high }
}

/// Returns whether the file can be the log: it can seek (files and most devices; pipes and sockets cannot) or is a
/// terminal. fstat would be simpler, but glibc before 2.33 has no symbol for it.
fn is_usable(fd: c_int) -> bool {
    // SAFETY: lseek has no preconditions.
    let seekable = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) } >= 0;
    // SAFETY: isatty has no preconditions.
    seekable || unsafe { libc::isatty(fd) } == 1
}

fn size_is_limited() -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer points to a live rlimit.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) } == 0;
    !known || limit.rlim_cur != libc::RLIM_INFINITY
}
