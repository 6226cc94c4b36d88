//! Memory from the kernel: the fd table, and the telemetry file.
#![expect(unsafe_code, reason = "maps memory")]

use core::ffi::{CStr, c_int, c_void};
use core::ptr::{self, NonNull};
use core::slice;
use core::sync::atomic::AtomicU32;

use libc::{MAP_ANONYMOUS, MAP_FAILED, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE};
use readhook_core::FD_CAPACITY;
use readhook_telemetry::Writer;

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
    // SAFETY: the path is a C string.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC | libc::O_NONBLOCK) };
    if fd < 0 {
        return None;
    }
    let writer = len(fd).and_then(|len| {
        let base = map(len, MAP_SHARED, fd)?;
        // Page faults now rather than in a request. Before Linux 5.14 this fails, and they come later.
        // SAFETY: the range was mapped just now.
        unsafe { libc::madvise(base.cast().as_ptr(), len, libc::MADV_POPULATE_WRITE) };
        // SAFETY: page-aligned, mapped for good, and the file is written through writers only.
        unsafe { Writer::new(base, len) }.ok()
    });
    if let Some(close) = next::close() {
        // SAFETY: the descriptor is ours; the mapping stays.
        unsafe { close(fd) };
    }
    writer
}

fn len(fd: c_int) -> Option<usize> {
    // SAFETY: all-zero bytes are a valid stat.
    let mut status: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: the pointer is to a live stat.
    if unsafe { libc::fstat(fd, &raw mut status) } != 0 {
        return None;
    }
    usize::try_from(status.st_size).ok().filter(|len| *len > 0)
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
