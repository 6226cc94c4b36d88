//! Exports the functions that receive into one buffer: read, recv, recvfrom, and their variants for `_FORTIFY_SOURCE`.
#![expect(unsafe_code, reason = "exports C functions and calls the ones they replace")]

use core::ffi::c_void;

use libc::{ENOSYS, c_int, size_t, sockaddr, socklen_t, ssize_t};
use readhook_core::ReceiveFlags;
use readhook_telemetry::Function;

use crate::errno;
use crate::next::{self, ReadChkFn, ReadFn, RecvChkFn, RecvFn, RecvFromChkFn, RecvFromFn};
use crate::state::{Hook, active};
use crate::watch::{After, Before, ReceiveCall, search};

const _: [ReadFn; 2] = [libc::read, read];
const _: [RecvFn; 2] = [libc::recv, recv];
const _: [RecvFromFn; 2] = [libc::recvfrom, recvfrom];
const _: ReadChkFn = __read_chk;
const _: RecvChkFn = __recv_chk;
const _: RecvFromChkFn = __recvfrom_chk;

/// Calls `real` and evaluates the bytes that it received into `buffer`.
///
/// # Safety
/// `real` must be a receive call into `buffer` of `room` bytes with these flags.
#[inline(always)]
pub(super) unsafe fn around(
    hook: &'static Hook,
    function: Function,
    (fd, buffer, room): (c_int, *mut c_void, size_t),
    flags: c_int,
    real: impl FnOnce() -> ssize_t,
) -> ssize_t {
    let flags = ReceiveFlags(flags);
    let call = match ReceiveCall::begin(hook, function, fd, flags) {
        Before::Pass => return real(),
        Before::Watch(call) => call,
        Before::Blocked => return 0,
    };
    let result = real();
    let after = call.end(result, room, flags, |hook, state, bytes| {
        // SAFETY: the caller promises that `real` received into this buffer, and the kernel has just written so many
        // bytes.
        unsafe { search(hook, state, buffer.cast(), bytes) }
    });
    match after {
        After::Pass => result,
        After::Block => {
            // SAFETY: the kernel has just written these bytes, at most `room`.
            unsafe { buffer.cast::<u8>().write_bytes(0, result.cast_unsigned().min(room)) };
            0
        }
    }
}

/// Exports a function that receives into one buffer, in two parts. The first part is the whole cost of a call that is
/// only passed on: two loads and a jump.
macro_rules! receive {
    ($name:ident $watched:ident $real:ident $type:ident $function:ident $flags:expr, $($more:ident: $kind:ty),*) => {
        /// # Safety
        /// The caller keeps the contract of libc's function.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $name(fd: c_int, buffer: *mut c_void, count: size_t, $($more: $kind),*) -> ssize_t {
            let Some(real) = next::$real() else {
                return errno::fail(ENOSYS) as ssize_t;
            };
            match active() {
                // SAFETY: these are the caller's arguments, unchanged.
                None => unsafe { real(fd, buffer, count, $($more),*) },
                // SAFETY: these are the caller's arguments, unchanged, and `real` is the function that they are for.
                Some(hook) => unsafe { $watched(fd, buffer, count, $($more,)* hook, real) },
            }
        }

        /// # Safety
        /// The caller keeps the contract of libc's function, which `real` is.
        #[inline(never)]
        unsafe extern "C" fn $watched(
            fd: c_int,
            buffer: *mut c_void,
            count: size_t,
            $($more: $kind,)*
            hook: &'static Hook,
            real: $type,
        ) -> ssize_t {
            // SAFETY: these are the caller's arguments, unchanged.
            let real = || unsafe { real(fd, buffer, count, $($more),*) };
            // SAFETY: the function fills `buffer` up to `count`. The fortified functions abort the program if `count`
            // exceeds the size of the buffer that the compiler knows.
            unsafe { around(hook, Function::$function, (fd, buffer, count), $flags, real) }
        }
    };
}

receive!(read watched_read read ReadFn Read 0,);
receive!(recv watched_recv recv RecvFn Recv flags, flags: c_int);
receive!(recvfrom watched_recvfrom recvfrom RecvFromFn RecvFrom flags,
    flags: c_int, address: *mut sockaddr, len: *mut socklen_t);
receive!(__read_chk watched_read_chk read_chk ReadChkFn ReadChk 0, size: size_t);
receive!(__recv_chk watched_recv_chk recv_chk RecvChkFn RecvChk flags, size: size_t, flags: c_int);
receive!(__recvfrom_chk watched_recvfrom_chk recvfrom_chk RecvFromChkFn RecvFromChk flags,
    size: size_t, flags: c_int, address: *mut sockaddr, len: *mut socklen_t);
