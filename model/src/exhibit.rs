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
    /// The same by the proxies in the path, with their cost.
    Proxies,
    /// False positives of each design by the neighbour on the servers' processor.
    Neighbours,
    /// The spread of the effect by the layer at which requests are timed.
    Observers,
    /// The cost in a tight loop beside the cost in servers.
    Isolation,
    /// The cost of a search by the size of the payload and the position of the keyword.
    Positions,
    /// Round trips, the hook's cost and the MDE by the limits of the servers.
    Quotas,
    /// The half-width of intervals by the number of requests and launches.
    Power,
    /// The hook's cost by environment and server, with a random-effects summary.
    Environments,
    /// Round trips, the hook's cost and the MDE with processors in idle states and without.
    Idle,
}

impl ExhibitKind {
    /// All kinds.
    pub const ALL: &[Self] = Self::VARIANTS;
}
