//! The meaning of a receive call's result, which depends on the flags of the call.

/// The flags of `recv` and related functions that change the meaning of the result (the same on all architectures of
/// Linux).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveFlags(pub i32);

impl ReceiveFlags {
    const PEEK: i32 = 0x2;
    const TRUNC: i32 = 0x20;
    const ERRQUEUE: i32 = 0x2000;

    /// Returns whether the data stays in the queue, so that a later call returns it again.
    const fn peeks(self) -> bool {
        self.0 & Self::PEEK != 0
    }

    /// Returns whether the result is not received data.
    #[must_use]
    pub const fn asks_for_errors(self) -> bool {
        self.0 & Self::ERRQUEUE != 0
    }

    /// Returns whether a stream socket discards the data and does not write the buffer.
    const fn discards(self) -> bool {
        self.0 & Self::TRUNC != 0
    }
}

/// The bytes that one call received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceivedPayload {
    /// No bytes: an error, the end of the stream, or data outside the stream.
    None,
    /// This number of bytes, all in the buffer. A later call returns them again.
    Peeked(usize),
    /// This number of bytes, which may be missing in the buffer.
    Discarded(usize),
    /// This number of bytes, all in the buffer.
    Received(usize),
}

/// Interprets the `result` of a call with a buffer of `room` bytes.
#[inline]
#[must_use]
pub const fn payload(result: isize, room: usize, flags: ReceiveFlags) -> ReceivedPayload {
    if result <= 0 || flags.asks_for_errors() {
        return ReceivedPayload::None;
    }
    let bytes = result.cast_unsigned();
    let within = if bytes < room { bytes } else { room };
    match (flags.peeks(), flags.discards()) {
        (true, true) => ReceivedPayload::None,
        (true, false) => ReceivedPayload::Peeked(within),
        (false, true) => ReceivedPayload::Discarded(bytes),
        (false, false) => ReceivedPayload::Received(within),
    }
}
