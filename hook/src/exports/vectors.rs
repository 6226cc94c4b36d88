//! Receives into several buffers: readv, recvmsg, recvmmsg.
#![expect(unsafe_code, reason = "exports C functions and calls the ones they replace")]

use libc::{ENOSYS, c_int, c_uint, iovec, mmsghdr, msghdr, ssize_t, timespec};
use readhook_core::{Flags, Outcome, State};
use readhook_telemetry::Function;

use crate::errno;
use crate::next::{self, ReadVFn, RecvMMsgFn, RecvMsgFn};
use crate::state::{Hook, active};
use crate::watch::{After, Before, Receive, search};

const _: [ReadVFn; 2] = [libc::readv, readv];
const _: [RecvMsgFn; 2] = [libc::recvmsg, recvmsg];
#[cfg(target_env = "gnu")]
const _: [RecvMMsgFn; 2] = [libc::recvmmsg, recvmmsg];

/// Searches `bytes` bytes over the buffers in their order.
///
/// # Safety
/// The vectors must be readable, and their buffers for `bytes` bytes in all.
unsafe fn search_vectors(hook: &Hook, mut state: State, (vectors, count): Vectors, bytes: usize) -> Outcome {
    // SAFETY: the caller's promise.
    for (buffer, len) in unsafe { parts((vectors, count), bytes) } {
        // SAFETY: the kernel has just filled so much of this buffer.
        match unsafe { search(hook, state, buffer, len) } {
            Outcome::Clean(next) => state = next,
            hit @ Outcome::Hit(_) => return hit,
        }
    }
    Outcome::Clean(state)
}

/// Takes back what was received.
///
/// # Safety
/// As for [`search_vectors`], and nobody else may be using the buffers.
unsafe fn wipe(vectors: Vectors, bytes: usize) {
    // SAFETY: the caller's promise.
    for (buffer, len) in unsafe { parts(vectors, bytes) } {
        // SAFETY: the kernel has just filled so much of this buffer.
        unsafe { buffer.write_bytes(0, len) };
    }
}

/// First vector, and how many there are.
type Vectors = (*const iovec, usize);

/// The buffers, and how much of each is filled, of `bytes` bytes in all; those of which nothing is filled left out.
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
            // SAFETY: below the count that the kernel has just used.
            let vector = unsafe { vectors.add(index) };
            // SAFETY: as above.
            let vector = unsafe { vector.read() };
            let len = vector.iov_len.min(left);
            left -= len;
            Some((vector.iov_base.cast(), len))
        })
        .filter(|(_, len)| *len > 0)
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
    let Some(hook) = active() else { return real() };
    let call = match Receive::begin(hook, function, fd, Flags(0)) {
        Before::Pass => return real(),
        Before::Watch(call) => call,
        Before::Blocked => return 0,
    };
    let result = real();
    // SAFETY: used only when the call has returned bytes, so the vectors are valid for them.
    match unsafe { end(&call, (vectors, usize::try_from(count).unwrap_or(0)), Flags(0), result) } {
        After::Pass => result,
        After::Block => 0,
    }
}

/// Takes note of what a call put into vectors, and takes it back where it is to be blocked.
///
/// # Safety
/// With a positive `result`, the vectors must be what the kernel has just filled with so many bytes.
unsafe fn end(call: &Receive, vectors: Vectors, flags: Flags, result: ssize_t) -> After {
    let after = call.end(result, usize::MAX, flags, |hook, state, bytes| {
        // SAFETY: the caller's promise.
        unsafe { search_vectors(hook, state, vectors, bytes) }
    });
    if after == After::Block {
        // SAFETY: the caller's promise; the program has not got them yet.
        unsafe { wipe(vectors, result.cast_unsigned()) };
    }
    after
}

/// Calls `real` and takes note of what it put into the message.
///
/// # Safety
/// `real` must be a recvmsg into this message.
pub(super) unsafe fn around_message(
    function: Function,
    (fd, message, flags): (c_int, *mut msghdr, c_int),
    real: impl FnOnce() -> ssize_t,
) -> ssize_t {
    let Some(hook) = active() else { return real() };
    let call = match Receive::begin(hook, function, fd, Flags(flags)) {
        Before::Pass => return real(),
        Before::Watch(call) => call,
        Before::Blocked => {
            // SAFETY: the caller's message.
            unsafe { say_closed(message) };
            return 0;
        }
    };
    let result = real();
    if result <= 0 {
        return result;
    }
    // SAFETY: the call has returned bytes, so the message is valid.
    unsafe { end_message(&call, message, flags, result) }
}

/// Takes note of a message; gives how many bytes of it the program may see.
///
/// # Safety
/// `message` must be what the kernel has just filled with `result` bytes.
unsafe fn end_message(call: &Receive, message: *mut msghdr, flags: c_int, result: ssize_t) -> ssize_t {
    // SAFETY: the caller's promise.
    let vectors = vectors_of(unsafe { &*message });
    // SAFETY: the caller's promise.
    match unsafe { end(call, vectors, Flags(flags), result) } {
        After::Pass => result,
        After::Block => {
            // SAFETY: the caller's promise.
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

/// A message as it is at the end of a stream.
///
/// # Safety
/// `message` must be null or valid.
unsafe fn say_closed(message: *mut msghdr) {
    // SAFETY: the caller's promise.
    if let Some(message) = unsafe { message.as_mut() } {
        message.msg_namelen = 0;
        message.msg_controllen = 0;
        message.msg_flags = 0;
    }
}

/// Where messages are, and how many.
type Messages = (*mut mmsghdr, c_uint);

/// Calls `real` and takes note of each message that it filled. From a blocked one on, all are as at the end of a stream.
///
/// # Safety
/// `real` must be a recvmmsg into these messages.
pub(super) unsafe fn around_messages(
    function: Function,
    (fd, messages, flags): (c_int, Messages, c_int),
    real: impl FnOnce() -> c_int,
) -> c_int {
    let Some(hook) = active() else { return real() };
    let call = match Receive::begin(hook, function, fd, Flags(flags)) {
        Before::Pass => return real(),
        Before::Watch(call) => call,
        // SAFETY: the caller's messages.
        Before::Blocked => return unsafe { end_from(messages, 0, 0) },
    };
    let result = real();
    let filled = c_uint::try_from(result).unwrap_or(0);
    for index in 0..filled {
        // SAFETY: the kernel has just filled so many messages.
        let place = unsafe { messages.0.add(index as usize) };
        // SAFETY: as above.
        let len = unsafe { (*place).msg_len } as ssize_t;
        // SAFETY: as above; a message's header comes first in it.
        if unsafe { end_message(&call, place.cast(), flags, len) } != len {
            // SAFETY: as above.
            return unsafe { end_from(messages, index, filled) };
        }
    }
    result
}

/// Empties the messages from `first` on, of which those below `filled` hold data: at the end of a stream, the kernel
/// gives as many empty messages as are asked for.
///
/// # Safety
/// The messages must be valid.
unsafe fn end_from((messages, count): Messages, first: c_uint, filled: c_uint) -> c_int {
    for index in first..count {
        // SAFETY: the caller's promise.
        let place = unsafe { messages.add(index as usize) };
        // SAFETY: as above.
        let message = unsafe { &mut *place };
        if index < filled {
            // SAFETY: the kernel has just filled it.
            unsafe { wipe(vectors_of(&message.msg_hdr), message.msg_len as usize) };
        }
        message.msg_len = 0;
        // SAFETY: a valid message.
        unsafe { say_closed(&raw mut message.msg_hdr) };
    }
    count.cast_signed()
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
    unsafe { around_messages(Function::RecvMMsg, (fd, (messages, count), flags), real) }
}
