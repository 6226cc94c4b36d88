//! The load generator's work, as experiments define it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::launch_plan::{Arrivals, ConnectionPolicy, Schedule, WaitMethod};

/// The load generator's work in every launch. The table `[load]` of a definition describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Order of the requests.
    pub schedule: Schedule,
    /// Times of the requests.
    #[serde(default)]
    pub arrivals: Arrivals,
    /// Connections to each arm.
    #[serde(default = "one")]
    pub connections: u16,
    /// Use of a connection for one request or for all.
    #[serde(default)]
    pub connection: ConnectionPolicy,
    /// Requests to each arm, warm-up included.
    pub rounds: u64,
    /// Rounds at the start that are flagged as warm-up.
    pub warm_up_rounds: u64,
    /// Rounds of a segment.
    pub segment_rounds: u64,
    /// Method of waiting for a response.
    pub wait: WaitMethod,
    /// Whether the kernel stamps sent and received segments.
    #[serde(default = "yes")]
    pub kernel_stamps: bool,
    /// Whether the runner keeps the machine's processors out of idle states between requests, if it has the right to
    /// do so.
    #[serde(default = "yes")]
    pub keep_awake: bool,
    /// Longest time for one response or connection attempt, ms.
    pub timeout_ms: u64,
    /// Share of requests that may fail, 0 to 1.
    pub max_error_share: f64,
}

const fn yes() -> bool {
    true
}

const fn one() -> u16 {
    1
}
