//! Reads `CLOCK_MONOTONIC` through the vDSO, and numbers the calling thread.
#![expect(unsafe_code, reason = "calls into libc")]

use libc::{CLOCK_MONOTONIC, timespec};

/// Returns the time of `CLOCK_MONOTONIC` in ns. Does not change errno, because the call cannot fail for this clock.
pub(crate) fn now_ns() -> u64 {
    let mut time = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer points to a live timespec.
    unsafe { libc::clock_gettime(CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// Spins until `wait_ns` after `from_ns`, both in ns. Returns the time since `from_ns`, ns.
pub(crate) fn spin_from(from_ns: u64, wait_ns: u64) -> u64 {
    loop {
        let waited = now_ns().saturating_sub(from_ns);
        if waited >= wait_ns {
            return waited;
        }
    }
}

/// Returns a number that is unique among the live threads of a process. It is computed from the thread pointer, whose
/// target is aligned to 64 bytes; the kernel's thread id would cost a system call.
pub(crate) fn thread_number() -> u32 {
    // SAFETY: pthread_self has no preconditions.
    let pointer = unsafe { libc::pthread_self() };
    (pointer >> 6) as u32
}
