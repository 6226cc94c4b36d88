//! Exports dup, dup2 and dup3.
#![expect(unsafe_code, reason = "exports C functions and calls the ones they replace")]

use libc::{ENOSYS, c_int};
use readhook_telemetry::Function;

use crate::next::{self, Dup2Fn, Dup3Fn, DupFn};
use crate::{errno, watch};

const _: [DupFn; 2] = [libc::dup, dup];
const _: [Dup2Fn; 2] = [libc::dup2, dup2];
const _: [Dup3Fn; 2] = [libc::dup3, dup3];

/// Calls `real` and notes that its result is a duplicate of `old`.
pub(super) fn around(function: Function, old: c_int, real: impl FnOnce() -> c_int) -> c_int {
    let hook = watch::begin(function);
    let result = real();
    if let Some(hook) = hook {
        hook.duplicated(old, result);
    }
    result
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn dup(old: c_int) -> c_int {
    let Some(real) = next::dup() else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: this is the caller's argument, unchanged.
    around(Function::Dup, old, || unsafe { real(old) })
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn dup2(old: c_int, new: c_int) -> c_int {
    let Some(real) = next::dup2() else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: these are the caller's arguments, unchanged.
    around(Function::Dup2, old, || unsafe { real(old, new) })
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int {
    let Some(real) = next::dup3() else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: these are the caller's arguments, unchanged.
    around(Function::Dup3, old, || unsafe { real(old, new, flags) })
}
