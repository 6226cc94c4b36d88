//! The exhibits of experiments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// The figure and table with which the report shows an experiment. A definition names it: `exhibit = "proxies"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::Display, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ExhibitKind {
    /// Round trips, the hook's cost and the MDE by the topology of client and server.
    Topology,
    /// The spread of launches and the launches needed by the size of a relay's delays.
    Delays,
    /// Round trips, the hook's cost and the MDE by the proxies in the path, with their cost.
    Proxies,
    /// The spread of launches and the false positives of each design by the neighbour.
    Neighbours,
    /// The spread of the effect by the layer at which requests are timed.
    Observers,
    /// The cost in a tight loop beside the cost in servers.
    Isolation,
    /// The cost of a search by the size of the payload and the position of the keyword.
    Positions,
    /// Round trips, the hook's cost and the MDE by the limits of the servers.
    Quotas,
    /// The share of the variance that lies between launches by the length of a launch.
    Power,
    /// The hook's cost by topology, server and mode, with its spread between the levels of each.
    Environments,
    /// Round trips, the hook's cost and the MDE with processors in idle states and without.
    Idle,
    /// Capacities, and the hook's cost at shares of the capacity, beside a known delay and a simulated queue.
    Load,
}

impl ExhibitKind {
    /// All kinds.
    pub const ALL: &[Self] = Self::VARIANTS;
}
