//! The calling thread's `errno`, and `abort`.
#![expect(unsafe_code, reason = "errno is reached through a pointer from libc")]

use libc::c_int;

pub(crate) fn get() -> c_int {
    // SAFETY: libc returns a valid pointer to this thread's errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above; nobody else writes this thread's errno meanwhile.
    unsafe { *place }
}

pub(crate) fn set(value: c_int) {
    // SAFETY: libc returns a valid pointer to this thread's errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    unsafe { *place = value }
}

/// Runs `work` and puts errno back to what it was.
pub(crate) fn preserved<T>(work: impl FnOnce() -> T) -> T {
    let before = get();
    let result = work();
    set(before);
    result
}

/// For a function that this libc does not have.
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
