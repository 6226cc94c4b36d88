//! What a receive call's result means, given its flags.

/// Flags of `recv` and its kin, as far as they change what the result means (Linux, every architecture).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub i32);

impl Flags {
    const PEEK: i32 = 0x2;
    const TRUNC: i32 = 0x20;
    const ERRQUEUE: i32 = 0x2000;

    /// The data stays in the queue, or is no received data at all: a later call returns it, or none does.
    const fn leaves_data(self) -> bool {
        self.0 & (Self::PEEK | Self::ERRQUEUE) != 0
    }

    /// On a stream socket the data is discarded and the buffer is not written.
    const fn discards(self) -> bool {
        self.0 & Self::TRUNC != 0
    }
}

/// What arrived by one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing: an error, the end of the stream, or data that was only looked at.
    None,
    /// This many bytes, of which none may be in the buffer.
    Discarded(usize),
    /// This many bytes, all in the buffer.
    Received(usize),
}

/// Interprets `result` of a call into a buffer of `room` bytes.
#[inline]
#[must_use]
pub const fn payload(result: isize, room: usize, flags: Flags) -> Payload {
    if result <= 0 || flags.leaves_data() {
        return Payload::None;
    }
    let bytes = result.cast_unsigned();
    if flags.discards() {
        Payload::Discarded(bytes)
    } else if bytes < room {
        Payload::Received(bytes)
    } else {
        Payload::Received(room)
    }
}
