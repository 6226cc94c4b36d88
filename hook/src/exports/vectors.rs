//! Receives into several buffers: readv, recvmsg, recvmmsg.
#![expect(unsafe_code, reason = "exports C functions and calls the ones they replace")]

use libc::{ENOSYS, c_int, c_uint, iovec, mmsghdr, msghdr, ssize_t, timespec};
use readhook_core::{Flags, Outcome, State};
use readhook_telemetry::Function;

use crate::errno;
use crate::next::{self, ReadVFn, RecvMMsgFn, RecvMsgFn};
use crate::watch::{Receive, search};

const _: [ReadVFn; 2] = [libc::readv, readv];
const _: [RecvMsgFn; 2] = [libc::recvmsg, recvmsg];
#[cfg(target_env = "gnu")]
const _: [RecvMMsgFn; 2] = [libc::recvmmsg, recvmmsg];

/// Searches `bytes` bytes over the buffers in their order.
///
/// # Safety
/// The vectors must be readable, and their buffers for `bytes` bytes in all.
unsafe fn search_vectors(mut state: State, vectors: *const iovec, count: usize, mut bytes: usize) -> Outcome {
    for index in 0..count {
        // SAFETY: below the count that the kernel has just used.
        let vector = unsafe { vectors.add(index) };
        // SAFETY: as above.
        let vector = unsafe { vector.read() };
        let len = vector.iov_len.min(bytes);
        if len > 0 {
            // SAFETY: the kernel has just filled so much of this buffer.
            match unsafe { search(state, vector.iov_base.cast(), len) } {
                Outcome::Clean(next) => state = next,
                hit @ Outcome::Hit(_) => return hit,
            }
        }
        bytes -= len;
        if bytes == 0 {
            break;
        }
    }
    Outcome::Clean(state)
}

/// Calls `real` and takes note of what it put into the vectors.
///
/// # Safety
/// `real` must be a readv into these vectors.
pub(super) unsafe fn around_vectors(
    function: Function,
    (fd, vectors, count): (c_int, *const iovec, c_int),
    real: impl FnOnce() -> ssize_t,
) -> ssize_t {
    let call = Receive::begin(function, fd);
    let result = real();
    if let Some(call) = call {
        call.end(result, usize::MAX, Flags(0), |state, bytes| {
            // SAFETY: the call has returned so many bytes, so the vectors are valid for them.
            unsafe { search_vectors(state, vectors, usize::try_from(count).unwrap_or(0), bytes) }
        });
    }
    result
}

/// Calls `real` and takes note of what it put into the message.
///
/// # Safety
/// `real` must be a recvmsg into this message.
pub(super) unsafe fn around_message(
    function: Function,
    (fd, message, flags): (c_int, *const msghdr, c_int),
    real: impl FnOnce() -> ssize_t,
) -> ssize_t {
    let call = Receive::begin(function, fd);
    let result = real();
    if let Some(call) = call {
        // SAFETY: used only when the call has returned bytes, so the message is valid.
        unsafe { end_message(&call, message, flags, result) };
    }
    result
}

/// # Safety
/// With a positive `result`, `message` must be what the kernel has just filled with so many bytes.
unsafe fn end_message(call: &Receive, message: *const msghdr, flags: c_int, result: ssize_t) {
    call.end(result, usize::MAX, Flags(flags), |state, bytes| {
        // SAFETY: the caller's promise.
        let message = unsafe { &*message };
        let (vectors, count) = (message.msg_iov, message.msg_iovlen);
        #[expect(clippy::unnecessary_cast, reason = "size_t under glibc, int under musl")]
        // SAFETY: the caller's promise.
        unsafe {
            search_vectors(state, vectors, count as usize, bytes)
        }
    });
}

/// Calls `real` and takes note of each message that it filled.
///
/// # Safety
/// `real` must be a recvmmsg into these messages.
pub(super) unsafe fn around_messages(
    function: Function,
    (fd, messages, flags): (c_int, *const mmsghdr, c_int),
    real: impl FnOnce() -> c_int,
) -> c_int {
    let call = Receive::begin(function, fd);
    let result = real();
    if let Some(call) = call {
        for index in 0..usize::try_from(result).unwrap_or(0) {
            // SAFETY: the kernel has just filled so many messages.
            let message = unsafe { messages.add(index) };
            // SAFETY: as above.
            let message = unsafe { &*message };
            // SAFETY: as above.
            unsafe { end_message(&call, &raw const message.msg_hdr, flags, message.msg_len as ssize_t) };
        }
    }
    result
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn readv(fd: c_int, vectors: *const iovec, count: c_int) -> ssize_t {
    let Some(real) = next::readv() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(fd, vectors, count) };
    // SAFETY: a readv into these vectors.
    unsafe { around_vectors(Function::ReadV, (fd, vectors, count), real) }
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
    let Some(real) = next::recvmsg() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(fd, message, flags) };
    // SAFETY: a recvmsg into this message.
    unsafe { around_message(Function::RecvMsg, (fd, message, flags), real) }
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn recvmmsg(
    fd: c_int,
    messages: *mut mmsghdr,
    count: c_uint,
    flags: c_int,
    timeout: *mut timespec,
) -> c_int {
    let Some(real) = next::recvmmsg() else {
        return errno::fail(ENOSYS);
    };
    // SAFETY: the caller's arguments, unchanged.
    let real = || unsafe { real(fd, messages, count, flags, timeout) };
    // SAFETY: a recvmmsg into these messages.
    unsafe { around_messages(Function::RecvMMsg, (fd, messages, flags), real) }
}
