//! Memory from the kernel: the fd table, and the telemetry file.
#![expect(unsafe_code, reason = "maps memory")]

use core::ffi::{CStr, c_int, c_void};
use core::ptr::{self, NonNull};
use core::slice;
use core::sync::atomic::AtomicU32;

use libc::{MAP_ANONYMOUS, MAP_FAILED, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE};
use readhook_core::FD_CAPACITY;
use readhook_telemetry::{LogRing, Writer};

use crate::next;

/// Zeroed entries for the fd table; pages come into being when touched. Private, so that a forked process has its own,
/// as it has its own descriptors.
pub(crate) fn fd_entries() -> Option<&'static [AtomicU32]> {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    let base = map(FD_CAPACITY * size_of::<AtomicU32>(), flags, -1)?;
    // SAFETY: a fresh zeroed mapping of that many entries, never unmapped and used through this slice only.
    Some(unsafe { slice::from_raw_parts(base.cast().as_ptr(), FD_CAPACITY) })
}

/// Maps a telemetry file, `None` when it is not there or not one.
pub(crate) fn telemetry(path: &CStr) -> Option<Writer> {
    // SAFETY: page-aligned, mapped for good, and the file is written through writers only.
    shared(path, |base, len| unsafe { Writer::new(base, len) }.ok())
}

/// Maps a log ring, `None` when it is not there or not one.
pub(crate) fn log_ring(path: &CStr) -> Option<LogRing> {
    // SAFETY: page-aligned, mapped for good, and the file is written through rings only.
    shared(path, |base, len| unsafe { LogRing::new(base, len) })
}

/// Maps a file that is shared with others. What turns out to be none of ours is unmapped again.
fn shared<T>(path: &CStr, accept: impl FnOnce(NonNull<u8>, usize) -> Option<T>) -> Option<T> {
    // SAFETY: the path is a C string.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC | libc::O_NONBLOCK) };
    if fd < 0 {
        return None;
    }
    let found = len(fd).and_then(|len| {
        let base = map(len, MAP_SHARED, fd)?;
        let found = accept(base, len);
        if found.is_some() {
            // Page faults now rather than in a request. Before Linux 5.14 this fails, and they come later.
            // SAFETY: the range was mapped just now.
            unsafe { libc::madvise(base.cast().as_ptr(), len, libc::MADV_POPULATE_WRITE) };
        } else {
            // SAFETY: the range was mapped just now, and nobody uses it.
            unsafe { libc::munmap(base.cast().as_ptr(), len) };
        }
        found
    });
    if let Some(close) = next::close() {
        // SAFETY: the descriptor is ours; the mapping stays.
        unsafe { close(fd) };
    }
    found
}

/// A file's content, in memory of its own: a mapped file that is cut later would end the program. `None` when it cannot
/// be read.
pub(crate) fn copy(path: &CStr) -> Option<&'static [u8]> {
    // SAFETY: the path is a C string.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK) };
    if fd < 0 {
        return None;
    }
    let bytes = len(fd).and_then(|len| {
        let base = map(len, MAP_PRIVATE | MAP_ANONYMOUS, -1)?;
        // SAFETY: the range was mapped just now. Not by read, which is one of the functions replaced here.
        let got = unsafe { libc::pread(fd, base.cast().as_ptr(), len, 0) };
        // SAFETY: a fresh mapping of that many bytes, never unmapped, and never written from here on.
        (got == len.cast_signed()).then(|| unsafe { slice::from_raw_parts(base.as_ptr(), len) })
    });
    if let Some(close) = next::close() {
        // SAFETY: the descriptor is ours.
        unsafe { close(fd) };
    }
    bytes
}

/// By seeking: before glibc 2.33 there is no fstat to link with.
fn len(fd: c_int) -> Option<usize> {
    // SAFETY: lseek has no preconditions.
    let end = unsafe { libc::lseek(fd, 0, libc::SEEK_END) };
    usize::try_from(end).ok().filter(|len| *len > 0)
}

fn map(len: usize, flags: c_int, fd: c_int) -> Option<NonNull<u8>> {
    // SAFETY: the kernel chooses a free address; nothing existing is replaced.
    let base = unsafe { libc::mmap(ptr::null_mut(), len, PROT_READ | PROT_WRITE, flags, fd, 0) };
    if base == MAP_FAILED {
        None
    } else {
        NonNull::new(base.cast::<c_void>().cast())
    }
}
