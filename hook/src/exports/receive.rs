//! Receives into one buffer: read, recv, recvfrom, and the variants that `_FORTIFY_SOURCE` calls.
#![expect(unsafe_code, reason = "exports C functions and calls the ones they replace")]

use core::ffi::c_void;

use libc::{ENOSYS, c_int, size_t, sockaddr, socklen_t, ssize_t};
use readhook_core::Flags;
use readhook_telemetry::Function;

use crate::errno;
use crate::next::{self, ReadChkFn, ReadFn, RecvChkFn, RecvFn, RecvFromChkFn, RecvFromFn};
use crate::watch::{After, Before, Receive, search};

const _: [ReadFn; 2] = [libc::read, read];
const _: [RecvFn; 2] = [libc::recv, recv];
const _: [RecvFromFn; 2] = [libc::recvfrom, recvfrom];
const _: ReadChkFn = __read_chk;
const _: RecvChkFn = __recv_chk;
const _: RecvFromChkFn = __recvfrom_chk;

/// Calls `real` and takes note of what it put into `buffer`.
///
/// # Safety
/// `real` must be a receive call into `buffer` of `room` bytes with these flags.
#[inline]
pub(super) unsafe fn around(
    function: Function,
    (fd, buffer, room): (c_int, *mut c_void, size_t),
    flags: c_int,
    real: impl FnOnce() -> ssize_t,
) -> ssize_t {
    let flags = Flags(flags);
    let call = match Receive::begin(function, fd, flags) {
        Before::Pass => return real(),
        Before::Watch(call) => call,
        Before::Blocked => return 0,
    };
    let result = real();
    let after = call.end(result, room, flags, |hook, state, bytes| {
        // SAFETY: the kernel has just written so many bytes there, by the caller's promise.
        unsafe { search(hook, state, buffer.cast(), bytes) }
    });
    match after {
        After::Pass => result,
        After::Block => {
            // SAFETY: what was searched was written there just now.
            unsafe { buffer.cast::<u8>().write_bytes(0, result.cast_unsigned().min(room)) };
            0
        }
    }
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn read(fd: c_int, buffer: *mut c_void, count: size_t) -> ssize_t {
    let Some(real) = next::read() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(fd, buffer, count) };
    // SAFETY: read fills `buffer` up to `count`.
    unsafe { around(Function::Read, (fd, buffer, count), 0, real) }
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn recv(fd: c_int, buffer: *mut c_void, count: size_t, flags: c_int) -> ssize_t {
    let Some(real) = next::recv() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(fd, buffer, count, flags) };
    // SAFETY: recv fills `buffer` up to `count`.
    unsafe { around(Function::Recv, (fd, buffer, count), flags, real) }
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn recvfrom(
    fd: c_int,
    buffer: *mut c_void,
    count: size_t,
    flags: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> ssize_t {
    let Some(real) = next::recvfrom() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(fd, buffer, count, flags, address, len) };
    // SAFETY: recvfrom fills `buffer` up to `count`.
    unsafe { around(Function::RecvFrom, (fd, buffer, count), flags, real) }
}

/// # Safety
/// As libc's: `size` is what the compiler knows of the buffer, beyond which libc ends the program.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn __read_chk(fd: c_int, buffer: *mut c_void, count: size_t, size: size_t) -> ssize_t {
    let Some(real) = next::read_chk() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(fd, buffer, count, size) };
    // SAFETY: as read.
    unsafe { around(Function::ReadChk, (fd, buffer, count), 0, real) }
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn __recv_chk(
    fd: c_int,
    buffer: *mut c_void,
    count: size_t,
    size: size_t,
    flags: c_int,
) -> ssize_t {
    let Some(real) = next::recv_chk() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(fd, buffer, count, size, flags) };
    // SAFETY: as recv.
    unsafe { around(Function::RecvChk, (fd, buffer, count), flags, real) }
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn __recvfrom_chk(
    fd: c_int,
    buffer: *mut c_void,
    count: size_t,
    size: size_t,
    flags: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> ssize_t {
    let Some(real) = next::recvfrom_chk() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(fd, buffer, count, size, flags, address, len) };
    // SAFETY: as recvfrom.
    unsafe { around(Function::RecvFromChk, (fd, buffer, count), flags, real) }
}
