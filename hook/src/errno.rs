//! Reads, writes and preserves the calling thread's `errno`, and aborts the process.
#![expect(unsafe_code, reason = "errno is reached through a pointer from libc")]

use libc::c_int;

pub(crate) fn get() -> c_int {
    // SAFETY: the function has no preconditions; it returns a valid pointer to this thread's errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the pointer is valid, and no other thread accesses this thread's errno.
    unsafe { *place }
}

pub(crate) fn set(value: c_int) {
    // SAFETY: the function has no preconditions; it returns a valid pointer to this thread's errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the pointer is valid, and no other thread accesses this thread's errno.
    unsafe { *place = value }
}

/// Runs `work` and restores errno to its value from before.
pub(crate) fn preserved<T>(work: impl FnOnce() -> T) -> T {
    let before = get();
    let result = work();
    set(before);
    result
}

/// Aborts the process: the program called a function that this libc does not have.
#[cold]
pub(crate) fn fail(value: c_int) -> c_int {
    set(value);
    -1
}

#[cfg(panic = "abort")]
pub(crate) fn abort() -> ! {
    // SAFETY: abort has no preconditions.
    unsafe { libc::abort() }
}
