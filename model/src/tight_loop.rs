//! Tight loops: receive calls without a server around them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::invalid_value::require;
use crate::synthetic_server::ReceiveFunction;

/// Settings of the tight loops that measure each hooked arm's treatment without a server. The table `[micro]` of a
/// definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TightLoopSettings {
    /// Receive calls of each loop, with the hook and without it.
    pub calls: u32,
    /// The function that receives; without it that of the synthetic server, and `read` for any other server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<ReceiveFunction>,
}

impl TightLoopSettings {
    /// Receive calls of one block. A block is short compared to the machine's disturbances and long compared to a reading
    /// of the clock.
    pub const BLOCK_CALLS: u32 = 200;

    /// Returns the number of blocks of each loop.
    #[must_use]
    pub const fn blocks(self) -> u32 {
        self.calls.div_ceil(Self::BLOCK_CALLS)
    }

    /// Checks that a loop has at least ten blocks.
    ///
    /// # Errors
    /// When it has fewer.
    pub fn validate(self) -> Result<(), ModelError> {
        let least = 10 * Self::BLOCK_CALLS;
        let expected = format!("at least {least}, which are ten blocks");
        Ok(require(self.calls >= least, "micro.calls", self.calls, &expected)?)
    }
}

/// One block of receive calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TightLoopBlock {
    /// Whether the block ran with the arm's treatment.
    pub hooked: bool,
    /// Number of the block, from 0. The bare and the hooked block of one number follow each other.
    pub block: u32,
    /// Number of receive calls.
    pub calls: u32,
    /// Duration of the block, ns.
    pub elapsed_ns: i64,
}
