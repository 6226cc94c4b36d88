//! Maps memory: the fd table, telemetry files, log rings and copies of word files.
#![expect(unsafe_code, reason = "maps memory")]

use core::ffi::{CStr, c_int, c_void};
use core::ptr::{self, NonNull};
use core::slice;
use core::sync::atomic::AtomicU32;

use libc::{MAP_ANONYMOUS, MAP_FAILED, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE};
use readhook_core::FD_CAPACITY;
use readhook_telemetry::{LogRing, Writer};

use crate::next;

/// Returns zeroed entries for the fd table. The kernel allocates a page when it is touched first. The mapping is
/// private: a forked process has its own table, as it has its own descriptors.
pub(crate) fn fd_entries() -> Option<&'static [AtomicU32]> {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    let base = map(FD_CAPACITY * size_of::<AtomicU32>(), flags, -1)?;
    // SAFETY: the mapping is new, zeroed, has room for that many entries, stays mapped, and is used through this slice
    // only.
    Some(unsafe { slice::from_raw_parts(base.cast().as_ptr(), FD_CAPACITY) })
}

/// Maps a telemetry file. Returns `None` if the file does not exist or is not a telemetry file.
pub(crate) fn telemetry(path: &CStr) -> Option<Writer> {
    // SAFETY: the mapping is page-aligned and stays mapped, and only writers write to the file.
    shared(path, |base, len| unsafe { Writer::new(base, len) }.ok())
}

/// Maps a log ring. Returns `None` if the file does not exist or is not a log ring.
pub(crate) fn log_ring(path: &CStr) -> Option<LogRing> {
    // SAFETY: the mapping is page-aligned and stays mapped, and only rings write to the file.
    shared(path, |base, len| unsafe { LogRing::new(base, len) })
}

/// Maps a file that is shared with other processes. Unmaps it again if `accept` refuses it.
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
            // This takes the page faults now and not in a request. Before Linux 5.14 it fails, and they come later.
            // SAFETY: the range was just mapped.
            unsafe { libc::madvise(base.cast().as_ptr(), len, libc::MADV_POPULATE_WRITE) };
        } else {
            // SAFETY: the range was just mapped, and nobody uses it.
            unsafe { libc::munmap(base.cast().as_ptr(), len) };
        }
        found
    });
    if let Some(close) = next::close() {
        // SAFETY: this library opened the descriptor; the mapping stays without it.
        unsafe { close(fd) };
    }
    found
}

/// Returns a copy of a file's content, `None` if it cannot be read. It is a copy, because an access to a mapped file
/// that was shortened later would kill the program.
pub(crate) fn copy(path: &CStr) -> Option<&'static [u8]> {
    // SAFETY: the path is a C string.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK) };
    if fd < 0 {
        return None;
    }
    let bytes = len(fd).and_then(|len| {
        let base = map(len, MAP_PRIVATE | MAP_ANONYMOUS, -1)?;
        // SAFETY: the range was just mapped. pread is used because this library replaces read.
        let got = unsafe { libc::pread(fd, base.cast().as_ptr(), len, 0) };
        // SAFETY: the mapping is new, has that many bytes, stays mapped, and is not written from here on.
        (got == len.cast_signed()).then(|| unsafe { slice::from_raw_parts(base.as_ptr(), len) })
    });
    if let Some(close) = next::close() {
        // SAFETY: this library opened the descriptor.
        unsafe { close(fd) };
    }
    bytes
}

/// Returns the length of a file in bytes by a seek: glibc before 2.33 has no symbol for fstat.
fn len(fd: c_int) -> Option<usize> {
    // SAFETY: lseek has no preconditions.
    let end = unsafe { libc::lseek(fd, 0, libc::SEEK_END) };
    usize::try_from(end).ok().filter(|len| *len > 0)
}

fn map(len: usize, flags: c_int, fd: c_int) -> Option<NonNull<u8>> {
    // SAFETY: the kernel chooses a free address, so no existing mapping is replaced.
    let base = unsafe { libc::mmap(ptr::null_mut(), len, PROT_READ | PROT_WRITE, flags, fd, 0) };
    if base == MAP_FAILED {
        None
    } else {
        NonNull::new(base.cast::<c_void>().cast())
    }
}
