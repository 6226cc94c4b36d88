//! Exports accept and accept4.
#![expect(unsafe_code, reason = "exports C functions and calls the ones they replace")]

use libc::{ENOSYS, c_int, sockaddr, socklen_t};
use readhook_telemetry::Function;

use crate::next::{self, Accept4Fn, AcceptFn};
use crate::{errno, watch};

const _: [AcceptFn; 2] = [libc::accept, accept];
const _: [Accept4Fn; 2] = [libc::accept4, accept4];

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn accept(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int {
    let Some(real) = next::accept() else {
        return errno::fail(ENOSYS);
    };
    let hook = watch::begin(Function::Accept);
    // SAFETY: these are the caller's arguments, unchanged.
    let result = unsafe { real(fd, address, len) };
    if let Some(hook) = hook {
        hook.accepted(result);
    }
    result
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn accept4(fd: c_int, address: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int {
    let Some(real) = next::accept4() else {
        return errno::fail(ENOSYS);
    };
    let hook = watch::begin(Function::Accept4);
    // SAFETY: these are the caller's arguments, unchanged.
    let result = unsafe { real(fd, address, len, flags) };
    if let Some(hook) = hook {
        hook.accepted(result);
    }
    result
}
