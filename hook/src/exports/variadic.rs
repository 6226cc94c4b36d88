//! fcntl, fcntl64 and syscall, which are C-variadic.
//!
//! They are defined with all the arguments that there can be: the calling conventions of Linux on x86-64 and AArch64
//! pass variadic integers like fixed ones, and an argument that the caller did not pass is a leftover that is handed on
//! and not looked at, as in libc's own definitions.
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
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fcntl(fd: c_int, command: c_int, argument: c_long) -> c_int {
    let Some(real) = next::fcntl() else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: the caller's arguments, unchanged.
    around_fcntl(Function::Fcntl, fd, command, || unsafe { real(fd, command, argument) })
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fcntl64(fd: c_int, command: c_int, argument: c_long) -> c_int {
    // Before glibc 2.28 there is fcntl only, and no caller of this one.
    let Some(real) = next::fcntl64().or(next::fcntl()) else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: the caller's arguments, unchanged.
    around_fcntl(Function::Fcntl64, fd, command, || unsafe {
        real(fd, command, argument)
    })
}

/// # Safety
/// As libc's.
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
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(number, a, b, c, d, e, f) };
    let Some(hook) = active() else { return real() };
    // Descriptors, flags and counts are 32 bits of their register, for the kernel too.
    let int = |value: c_long| value as c_int;
    let short = |real: &dyn Fn() -> c_long| real() as c_int;
    let this = Function::Syscall;
    let buffer = (int(a), b as *mut c_void, c.cast_unsigned() as usize);
    // SAFETY (of each receive below): by its number the system call is that one, with the arguments in their order.
    match number {
        // SAFETY: see above.
        libc::SYS_read => unsafe { receive::around(hook, this, buffer, 0, || real() as isize) as c_long },
        // SAFETY: see above.
        libc::SYS_recvfrom => unsafe { receive::around(hook, this, buffer, int(d), || real() as isize) as c_long },
        libc::SYS_readv => {
            let vectors = (int(a), b as *const iovec, int(c));
            // SAFETY: see above.
            unsafe { vectors::around_vectors(this, vectors, || real() as isize) as c_long }
        }
        libc::SYS_recvmsg => {
            let message = (int(a), b as *mut msghdr, int(c));
            // SAFETY: see above.
            unsafe { vectors::around_message(this, message, || real() as isize) as c_long }
        }
        libc::SYS_recvmmsg => {
            let messages = (int(a), (b as *mut mmsghdr, int(c).cast_unsigned()), int(d));
            // SAFETY: see above.
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
