//! One request, as the prober saw it.

use std::num::NonZeroI64;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    /// Answered with the expected status code and a complete body.
    Ok,
    /// No connection could be made.
    Refused,
    /// The connection ended before the answer was complete.
    Reset,
    /// No complete answer in time.
    Timeout,
    /// A complete answer with another status code.
    BadStatus,
    /// Bytes that are no HTTP response.
    Malformed,
}

impl Status {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::Refused,
        Self::Reset,
        Self::Timeout,
        Self::BadStatus,
        Self::Malformed,
    ];

    /// As stored.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Timeout => "timeout",
            Self::BadStatus => "bad_status",
            Self::Malformed => "malformed",
        }
    }

    /// From what is stored.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.text() == text)
    }
}

/// One request. All times in nanoseconds; user stamps from the clock that the manifest names, kernel stamps from the
/// kernel's own, only ever to be subtracted from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Round, from 0; one request to every arm.
    pub round: u32,
    /// Position within the round, from 0.
    pub position: u16,
    /// Index into [`crate::FileHeader::arms`].
    pub arm: u16,
    /// Number of this arm's request, from 0.
    pub sequence: u32,
    /// Which of the prober's connections to this arm, from 0.
    pub connection: u16,
    /// Which of the plan's requests: 0 the plain one, 1 the one with a keyword.
    pub request: u16,
    /// When the request was to be sent; in a closed loop, when it was.
    pub intended_send_ns: i64,
    /// Immediately before the send call.
    pub user_send_ns: i64,
    /// When the kernel handed the request's last byte to the device.
    pub kernel_tx_ns: Option<NonZeroI64>,
    /// When the answer's last segment entered the kernel.
    pub kernel_rx_ns: Option<NonZeroI64>,
    /// Immediately after the receive call that completed the answer.
    pub user_receive_ns: i64,
    /// How it ended.
    pub status: Status,
    /// The answer's status code, 0 without one.
    pub http_status: u16,
    /// Bytes of the answer, head and body.
    pub bytes: u32,
    /// Not to be used in an estimate: warm-up, the first request on a connection, or the rounds after a write.
    pub warm_up: bool,
}

impl Observation {
    /// Round-trip time in user space, ns.
    #[must_use]
    pub const fn rtt_ns(&self) -> i64 {
        self.user_receive_ns - self.user_send_ns
    }

    /// From kernel send stamp to kernel receive stamp, ns; `None` without both.
    #[must_use]
    pub const fn wire_ns(&self) -> Option<i64> {
        match (self.kernel_tx_ns, self.kernel_rx_ns) {
            (Some(tx_ns), Some(rx_ns)) => Some(rx_ns.get() - tx_ns.get()),
            _ => None,
        }
    }
}
