//! Exports close and close_range.
#![expect(unsafe_code, reason = "exports C functions and calls the ones they replace")]

use libc::{ENOSYS, c_int, c_uint};
use readhook_telemetry::Function;

use crate::next::{self, CloseFn, CloseRangeFn};
use crate::{errno, log, watch};

const _: [CloseFn; 2] = [libc::close, close];
#[cfg(target_env = "gnu")]
const _: [CloseRangeFn; 2] = [libc::close_range, close_range];

/// `CLOSE_RANGE_CLOEXEC`: with this flag the descriptors stay open until exec.
const ON_EXEC: c_int = 4;

/// Forgets the descriptor before it calls `real`: after the call another thread may get the same number.
pub(super) fn around_close(function: Function, fd: c_int, real: impl FnOnce() -> c_int) -> c_int {
    if let Some(hook) = watch::begin(function) {
        if hook.log.owns(fd) {
            return log::not_open();
        }
        hook.table.closed(fd);
    }
    real()
}

/// Calls `real` and forgets the descriptors if it succeeded.
pub(super) fn around_range(
    function: Function,
    (first, last, flags): (c_uint, c_uint, c_int),
    real: impl FnOnce() -> c_int,
) -> c_int {
    let hook = watch::begin(function);
    let result = real();
    if let Some(hook) = hook
        && result == 0
        && flags & ON_EXEC == 0
    {
        let number = |fd: c_uint| c_int::try_from(fd).unwrap_or(c_int::MAX);
        hook.log.taken(number(first), number(last));
        hook.table.closed_range(first, last);
    }
    result
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn close(fd: c_int) -> c_int {
    let Some(real) = next::close() else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: this is the caller's argument, unchanged.
    around_close(Function::Close, fd, || unsafe { real(fd) })
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    let Some(real) = next::close_range() else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: these are the caller's arguments, unchanged.
    around_range(Function::CloseRange, (first, last, flags), || unsafe {
        real(first, last, flags)
    })
}
