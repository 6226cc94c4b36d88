//! One request, as the load generator measured it.

use std::num::NonZeroI64;

use model::RequestOutcome;

/// One request. All times are ns. User stamps come from the clock that the manifest names. Kernel stamps come from the kernel's
/// own clock: subtract them only from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Number of the round, from 0; a round is one request to every arm.
    pub round: u32,
    /// Position within the round, from 0.
    pub position: u16,
    /// Index of the arm in [`crate::FileHeader::arms`].
    pub arm: u16,
    /// Number of this arm's request, from 0.
    pub sequence: u32,
    /// Number of the load generator's connection to this arm, from 0.
    pub connection: u16,
    /// Index of the plan's request: 0 the plain request, 1 the request with a keyword.
    pub request: u16,
    /// Step of the request in a sequence of requests, from 0; `None` without sequences.
    pub step: Option<u16>,
    /// Load as a share of the bare server's capacity, per mille; `None` in a closed loop.
    pub load_level_permille: Option<u16>,
    /// Number of the block of rounds, from 0; `None` without blocks.
    pub block: Option<u32>,
    /// Time at which the request was to be sent; in a closed loop, the time at which it was sent.
    pub intended_arrival_ns: i64,
    /// Time immediately before the send call.
    pub user_send_ns: i64,
    /// Time at which the kernel handed the request's last byte to the device.
    pub kernel_tx_ns: Option<NonZeroI64>,
    /// Time at which the response's last segment entered the kernel.
    pub kernel_rx_ns: Option<NonZeroI64>,
    /// Time immediately after the receive call that completed the response.
    pub user_receive_ns: i64,
    /// The outcome of the request.
    pub outcome: RequestOutcome,
    /// Status code of the response, 0 without one.
    pub http_status: u16,
    /// Bytes of the response, head and body.
    pub bytes: u32,
    /// True if estimates must leave the request out: it belongs to the warm-up, is the first on its connection, or
    /// follows a write of the load generator.
    pub warm_up: bool,
}

impl Observation {
    /// Returns the round-trip time in user space, ns.
    #[must_use]
    pub const fn rtt_ns(&self) -> i64 {
        self.user_receive_ns - self.user_send_ns
    }

    /// Returns the time from kernel send stamp to kernel receive stamp, ns; `None` without both.
    #[must_use]
    pub const fn wire_ns(&self) -> Option<i64> {
        match (self.kernel_tx_ns, self.kernel_rx_ns) {
            (Some(tx_ns), Some(rx_ns)) => Some(rx_ns.get() - tx_ns.get()),
            _ => None,
        }
    }
}
