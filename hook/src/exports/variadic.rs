//! Exports fcntl, fcntl64 and syscall, which are C-variadic.
//!
//! They are defined with the largest possible number of arguments. The calling conventions of Linux on x86-64 and
//! AArch64 pass variadic integers like fixed ones. An argument that the caller did not pass is an undefined register
//! value, which is passed on and not used, as in libc's own definitions.
#![expect(unsafe_code, reason = "exports C functions and calls the ones they replace")]

use core::ffi::c_void;

use libc::{ENOSYS, c_int, c_long, iovec, mmsghdr, msghdr};
use readhook_telemetry::Function;

use crate::next::{self, FcntlFn, SyscallFn};
use crate::state::active;
use crate::{errno, watch};

use super::{close, dup, receive, vectors};

const _: FcntlFn = libc::fcntl;
const _: SyscallFn = libc::syscall;

fn is_dup(command: c_int) -> bool {
    matches!(command, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC)
}

fn around_fcntl(function: Function, fd: c_int, command: c_int, real: impl FnOnce() -> c_int) -> c_int {
    if is_dup(command) {
        return dup::around(function, fd, real);
    }
    watch::begin(function);
    real()
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fcntl(fd: c_int, command: c_int, argument: c_long) -> c_int {
    let Some(real) = next::fcntl() else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: these are the caller's arguments, unchanged.
    around_fcntl(Function::Fcntl, fd, command, || unsafe { real(fd, command, argument) })
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fcntl64(fd: c_int, command: c_int, argument: c_long) -> c_int {
    // glibc before 2.28 has fcntl only, and no program calls fcntl64 there.
    let Some(real) = next::fcntl64().or(next::fcntl()) else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: these are the caller's arguments, unchanged.
    around_fcntl(Function::Fcntl64, fd, command, || unsafe {
        real(fd, command, argument)
    })
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    let Some(real) = next::syscall() else {
        return errno::fail(ENOSYS).into();
    };
    // SAFETY: these are the caller's arguments, unchanged.
    let real = || unsafe { real(number, a, b, c, d, e, f) };
    let Some(hook) = active() else { return real() };
    // The kernel too uses only 32 bits of a register for descriptors, flags and counts.
    let int = |value: c_long| value as c_int;
    let short = |real: &dyn Fn() -> c_long| real() as c_int;
    let this = Function::Syscall;
    let buffer = (int(a), b as *mut c_void, c.cast_unsigned() as usize);
    // SAFETY (of each receive below): the number identifies the system call, and its arguments are in their order.
    match number {
        // SAFETY: the number identifies the system call, see above.
        libc::SYS_read => unsafe { receive::around(hook, this, buffer, 0, || real() as isize) as c_long },
        // SAFETY: the number identifies the system call, see above.
        libc::SYS_recvfrom => unsafe { receive::around(hook, this, buffer, int(d), || real() as isize) as c_long },
        libc::SYS_readv => {
            let vectors = (int(a), b as *const iovec, int(c));
            // SAFETY: the number identifies the system call, see above.
            unsafe { vectors::around_vectors(this, vectors, || real() as isize) as c_long }
        }
        libc::SYS_recvmsg => {
            let message = (int(a), b as *mut msghdr, int(c));
            // SAFETY: the number identifies the system call, see above.
            unsafe { vectors::around_message(this, message, || real() as isize) as c_long }
        }
        libc::SYS_recvmmsg => {
            let messages = (int(a), (b as *mut mmsghdr, int(c).cast_unsigned()), int(d));
            // SAFETY: the number identifies the system call, see above.
            unsafe { vectors::around_messages(this, messages, || short(&real)).into() }
        }
        libc::SYS_accept | libc::SYS_accept4 => {
            let hook = watch::begin(this);
            let result = real();
            if let Some(hook) = hook {
                hook.accepted(int(result));
            }
            result
        }
        libc::SYS_close => close::around_close(this, int(a), || short(&real)).into(),
        libc::SYS_close_range => {
            let range = (int(a).cast_unsigned(), int(b).cast_unsigned(), int(c));
            close::around_range(this, range, || short(&real)).into()
        }
        libc::SYS_dup | libc::SYS_dup3 => dup::around(this, int(a), || short(&real)).into(),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_dup2 => dup::around(this, int(a), || short(&real)).into(),
        libc::SYS_fcntl if is_dup(int(b)) => dup::around(this, int(a), || short(&real)).into(),
        _ => {
            watch::begin(this);
            real()
        }
    }
}
