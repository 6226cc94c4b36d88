//! Exports the functions that receive into several buffers: readv, recvmsg and recvmmsg.
#![expect(unsafe_code, reason = "exports C functions and calls the ones they replace")]

use libc::{ENOSYS, c_int, c_uint, iovec, mmsghdr, msghdr, ssize_t, timespec};
use readhook_core::{Outcome, ReceiveFlags, State};
use readhook_telemetry::Function;

use crate::errno;
use crate::next::{self, ReadVFn, RecvMMsgFn, RecvMsgFn};
use crate::state::{Hook, active};
use crate::watch::{After, Before, ReceiveCall, search};

const _: [ReadVFn; 2] = [libc::readv, readv];
const _: [RecvMsgFn; 2] = [libc::recvmsg, recvmsg];
#[cfg(target_env = "gnu")]
const _: [RecvMMsgFn; 2] = [libc::recvmmsg, recvmmsg];

/// Searches the first `bytes` bytes of the buffers, in their order.
///
/// # Safety
/// The vectors must be readable, and their buffers must be readable for `bytes` bytes in total.
unsafe fn search_vectors(hook: &Hook, mut state: State, (vectors, count): Vectors, bytes: usize) -> Outcome {
    // SAFETY: the caller promises this.
    for (buffer, len) in unsafe { parts((vectors, count), bytes) } {
        // SAFETY: the kernel has just written `len` bytes to this buffer.
        match unsafe { search(hook, state, buffer, len) } {
            Outcome::Clean(next) => state = next,
            hit @ Outcome::Hit(_) => return hit,
        }
    }
    Outcome::Clean(state)
}

/// Wipes the first `bytes` bytes of the buffers.
///
/// # Safety
/// The conditions of [`search_vectors`] hold, the buffers are writable, and no other code uses them during the call.
unsafe fn wipe(vectors: Vectors, bytes: usize) {
    // SAFETY: the caller promises this.
    for (buffer, len) in unsafe { parts(vectors, bytes) } {
        // SAFETY: the kernel has just written `len` bytes to this buffer.
        unsafe { buffer.write_bytes(0, len) };
    }
}

/// Address of the first vector, and number of vectors.
type Vectors = (*const iovec, usize);

/// Returns the buffers that hold a part of the first `bytes` bytes, each with the length of its part.
///
/// # Safety
/// The vectors must be readable as long as the result is used.
unsafe fn parts((vectors, count): Vectors, bytes: usize) -> impl Iterator<Item = (*mut u8, usize)> {
    let mut left = bytes;
    (0..count)
        .map_while(move |index| {
            if left == 0 {
                return None;
            }
            // SAFETY: the index is below the count that the kernel has just used.
            let vector = unsafe { vectors.add(index) };
            // SAFETY: the vector is within the array that the kernel has just used.
            let vector = unsafe { vector.read() };
            let len = vector.iov_len.min(left);
            left -= len;
            Some((vector.iov_base.cast(), len))
        })
        .filter(|(_, len)| *len > 0)
}

/// Calls `real` and evaluates the bytes that it received into the vectors.
///
/// # Safety
/// `real` must be a readv call with these vectors.
pub(super) unsafe fn around_vectors(
    function: Function,
    (fd, vectors, count): (c_int, *const iovec, c_int),
    real: impl FnOnce() -> ssize_t,
) -> ssize_t {
    let Some(hook) = active() else { return real() };
    let call = match ReceiveCall::begin(hook, function, fd, ReceiveFlags(0)) {
        Before::Pass => return real(),
        Before::Watch(call) => call,
        Before::Blocked => return 0,
    };
    let result = real();
    // SAFETY: the vectors are used only if the call returned bytes, so they are valid for these bytes.
    match unsafe {
        end(
            &call,
            (vectors, usize::try_from(count).unwrap_or(0)),
            ReceiveFlags(0),
            result,
        )
    } {
        After::Pass => result,
        After::Block => 0,
    }
}

/// Evaluates the bytes that a call received into vectors, and wipes them if the stream is to be blocked.
///
/// # Safety
/// If `result` is positive, the kernel has just written so many bytes to the buffers of these vectors.
unsafe fn end(call: &ReceiveCall, vectors: Vectors, flags: ReceiveFlags, result: ssize_t) -> After {
    let after = call.end(result, usize::MAX, flags, |hook, state, bytes| {
        // SAFETY: the caller promises this.
        unsafe { search_vectors(hook, state, vectors, bytes) }
    });
    if after == After::Block {
        // SAFETY: the caller promises valid buffers, and the program has not received them yet.
        unsafe { wipe(vectors, result.cast_unsigned()) };
    }
    after
}

/// Calls `real` and evaluates the bytes that it received into the message.
///
/// # Safety
/// `real` must be a recvmsg call with this message.
pub(super) unsafe fn around_message(
    function: Function,
    (fd, message, flags): (c_int, *mut msghdr, c_int),
    real: impl FnOnce() -> ssize_t,
) -> ssize_t {
    let Some(hook) = active() else { return real() };
    let call = match ReceiveCall::begin(hook, function, fd, ReceiveFlags(flags)) {
        Before::Pass => return real(),
        Before::Watch(call) => call,
        Before::Blocked => {
            // SAFETY: the caller promises a valid message.
            unsafe { say_closed(message) };
            return 0;
        }
    };
    let result = real();
    if result <= 0 {
        return result;
    }
    // SAFETY: the call returned bytes, so the message is valid.
    unsafe { end_message(&call, message, flags, result) }
}

/// Evaluates a received message. Returns the number of bytes that the program may see.
///
/// # Safety
/// The kernel has just written `result` bytes to this message.
unsafe fn end_message(call: &ReceiveCall, message: *mut msghdr, flags: c_int, result: ssize_t) -> ssize_t {
    // SAFETY: the caller promises this.
    let vectors = vectors_of(unsafe { &*message });
    // SAFETY: the caller promises this.
    match unsafe { end(call, vectors, ReceiveFlags(flags), result) } {
        After::Pass => result,
        After::Block => {
            // SAFETY: the caller promises this.
            unsafe { say_closed(message) };
            0
        }
    }
}

#[expect(
    clippy::unnecessary_cast,
    reason = "the count is a size_t under glibc, an int under musl"
)]
fn vectors_of(message: &msghdr) -> Vectors {
    (message.msg_iov.cast_const(), message.msg_iovlen as usize)
}

/// Makes a message look as the kernel leaves it at the end of a stream.
///
/// # Safety
/// `message` must be null or valid.
unsafe fn say_closed(message: *mut msghdr) {
    // SAFETY: the caller promises this.
    if let Some(message) = unsafe { message.as_mut() } {
        message.msg_namelen = 0;
        message.msg_controllen = 0;
        message.msg_flags = 0;
    }
}

/// Address of the first message, and number of messages.
type Messages = (*mut mmsghdr, c_uint);

/// Calls `real` and evaluates each message that it filled. If one is blocked, this and all later ones look like the end
/// of a stream.
///
/// # Safety
/// `real` must be a recvmmsg call with these messages.
pub(super) unsafe fn around_messages(
    function: Function,
    (fd, messages, flags): (c_int, Messages, c_int),
    real: impl FnOnce() -> c_int,
) -> c_int {
    let Some(hook) = active() else { return real() };
    let call = match ReceiveCall::begin(hook, function, fd, ReceiveFlags(flags)) {
        Before::Pass => return real(),
        Before::Watch(call) => call,
        // SAFETY: the caller promises valid messages.
        Before::Blocked => return unsafe { end_from(messages, 0, 0) },
    };
    let result = real();
    let filled = c_uint::try_from(result).unwrap_or(0);
    for index in 0..filled {
        // SAFETY: the index is below the number of messages that the kernel has just filled.
        let place = unsafe { messages.0.add(index as usize) };
        // SAFETY: the message is within the array that the kernel has just used.
        let len = unsafe { (*place).msg_len } as ssize_t;
        // SAFETY: the kernel has just filled the message, whose first field is its header.
        if unsafe { end_message(&call, place.cast(), flags, len) } != len {
            // SAFETY: the message is within the array that the kernel has just used.
            return unsafe { end_from(messages, index, filled) };
        }
    }
    result
}

/// Empties the messages from `first` on; those below `filled` hold data. At the end of a stream the kernel returns as
/// many empty messages as were requested, and so does this function.
///
/// # Safety
/// The messages must be valid.
unsafe fn end_from((messages, count): Messages, first: c_uint, filled: c_uint) -> c_int {
    for index in first..count {
        // SAFETY: the caller promises this.
        let place = unsafe { messages.add(index as usize) };
        // SAFETY: the message is within the array that the kernel has just used.
        let message = unsafe { &mut *place };
        if index < filled {
            // SAFETY: the kernel has just filled this message.
            unsafe { wipe(vectors_of(&message.msg_hdr), message.msg_len as usize) };
        }
        message.msg_len = 0;
        // SAFETY: the message is valid, as the caller promises.
        unsafe { say_closed(&raw mut message.msg_hdr) };
    }
    count.cast_signed()
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn readv(fd: c_int, vectors: *const iovec, count: c_int) -> ssize_t {
    let Some(real) = next::readv() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: these are the caller's arguments, unchanged.
    let real = || unsafe { real(fd, vectors, count) };
    // SAFETY: `real` is a readv call with these vectors.
    unsafe { around_vectors(Function::ReadV, (fd, vectors, count), real) }
}

/// # Safety
/// The caller keeps the contract of libc's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
    let Some(real) = next::recvmsg() else {
        return errno::fail(ENOSYS) as ssize_t;
    };
    // SAFETY: these are the caller's arguments, unchanged.
    let real = || unsafe { real(fd, message, flags) };
    // SAFETY: `real` is a recvmsg call with this message.
    unsafe { around_message(Function::RecvMsg, (fd, message, flags), real) }
}

/// # Safety
/// The caller keeps the contract of libc's function.
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
    // SAFETY: these are the caller's arguments, unchanged.
    let real = || unsafe { real(fd, messages, count, flags, timeout) };
    // SAFETY: `real` is a recvmmsg call with these messages.
    unsafe { around_messages(Function::RecvMMsg, (fd, (messages, count), flags), real) }
}
