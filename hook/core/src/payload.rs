//! What a receive call's result means, given its flags.

/// Flags of `recv` and its kin, as far as they change what the result means (Linux, every architecture).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub i32);

impl Flags {
    const PEEK: i32 = 0x2;
    const TRUNC: i32 = 0x20;
    const ERRQUEUE: i32 = 0x2000;

    /// The data stays in the queue: a later call returns it.
    const fn peeks(self) -> bool {
        self.0 & Self::PEEK != 0
    }

    /// What is returned is no received data.
    #[must_use]
    pub const fn asks_for_errors(self) -> bool {
        self.0 & Self::ERRQUEUE != 0
    }

    /// On a stream socket the data is discarded and the buffer is not written.
    const fn discards(self) -> bool {
        self.0 & Self::TRUNC != 0
    }
}

/// What arrived by one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing: an error, the end of the stream, or what is no data of the stream.
    None,
    /// This many bytes, all in the buffer, which a later call returns again.
    Peeked(usize),
    /// This many bytes, of which none may be in the buffer.
    Discarded(usize),
    /// This many bytes, all in the buffer.
    Received(usize),
}

/// Interprets `result` of a call into a buffer of `room` bytes.
#[inline]
#[must_use]
pub const fn payload(result: isize, room: usize, flags: Flags) -> Payload {
    if result <= 0 || flags.asks_for_errors() {
        return Payload::None;
    }
    let bytes = result.cast_unsigned();
    let within = if bytes < room { bytes } else { room };
    match (flags.peeks(), flags.discards()) {
        (true, true) => Payload::None,
        (true, false) => Payload::Peeked(within),
        (false, true) => Payload::Discarded(bytes),
        (false, false) => Payload::Received(within),
    }
}
