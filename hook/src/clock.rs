//! `CLOCK_MONOTONIC`, by the vDSO, and the calling thread's number.
#![expect(unsafe_code, reason = "calls into libc")]

use libc::{CLOCK_MONOTONIC, timespec};

/// Nanoseconds. Leaves errno alone: the call cannot fail for this clock.
pub(crate) fn now_ns() -> u64 {
    let mut time = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// Waits busily until `wait_ns` after `from_ns`; gives the time waited since then.
pub(crate) fn spin_from(from_ns: u64, wait_ns: u64) -> u64 {
    loop {
        let waited = now_ns().saturating_sub(from_ns);
        if waited >= wait_ns {
            return waited;
        }
    }
}

/// A number that tells threads of a process apart, from the thread pointer: the kernel's number would cost a system
/// call. Thread descriptors lie on 64-byte boundaries.
pub(crate) fn thread_number() -> u32 {
    // SAFETY: pthread_self has no preconditions.
    let pointer = unsafe { libc::pthread_self() };
    (pointer >> 6) as u32
}
