//! The run manifest: everything that is to be known of a run besides its rows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::HostFacts;

/// Version of the manifest; a reader refuses any other.
pub const MANIFEST_VERSION: u32 = 1;

/// Which clock the user stamps come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// `CLOCK_MONOTONIC`.
    Monotonic,
    /// Nanoseconds since 1970; the 2023 recordings.
    Realtime,
}

/// A run, in `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`].
    pub schema_version: u32,
    /// The run's name, which is its folder's.
    pub run_id: String,
    /// The experiment's name.
    pub experiment: String,
    /// The experiment as it was run, defaults and overrides filled in.
    pub plan: serde_json::Value,
    /// Seed of all permutations.
    pub seed: u64,
    /// Of the user stamps.
    pub clock: Clock,
    /// Git revision of the tools, with `-dirty` when the tree had changes; none outside a checkout.
    pub git_revision: Option<String>,
    /// The command that made the run.
    pub command_line: Vec<String>,
    /// Start, nanoseconds since 1970.
    pub started_unix_ns: i64,
    /// End, nanoseconds since 1970.
    pub finished_unix_ns: i64,
    /// Where it was measured.
    pub host: HostFacts,
    /// Tools and their versions.
    pub tools: BTreeMap<String, String>,
    /// Conditions asked for, run or not.
    pub conditions: Vec<ConditionRecord>,
    /// Finished launches.
    pub launches: Vec<LaunchRecord>,
    /// Every file of the run but this one.
    pub files: Vec<FileRecord>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A condition that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionRecord {
    /// Such as `local-pod`.
    pub name: String,
    /// Level of isolation that it had: `namespaces`, `user-namespaces`, `loopback`, `recorded`.
    pub level: String,
    /// Why it did not run; none when it did.
    pub not_run: Option<String>,
}

/// A finished launch, also in `launches/CONDITION-LAUNCH.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaunchRecord {
    /// Where.
    pub condition: String,
    /// Number, from 0.
    pub launch: u32,
    /// File of observations, relative to the run's folder.
    pub file: String,
    /// In the order of the experiment.
    pub arms: Vec<ArmRecord>,
    /// The prober's own summary.
    pub loadgen: serde_json::Value,
    /// False when a check failed that the estimate depends on.
    pub valid: bool,
    /// What went wrong or was unusual.
    pub warnings: Vec<String>,
}

/// One server process of a launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmRecord {
    /// Name.
    pub arm: String,
    /// `unmodified` or the hook's mode.
    pub treatment: String,
    /// Position in which it was started, from 0.
    pub start_order: u32,
    /// Position in which it was connected to, from 0.
    pub connection_order: u32,
    /// Where it listened.
    pub address: String,
    /// Whether the hook stood in the process's memory map; none for unmodified arms.
    pub hook_mapped: Option<bool>,
    /// Payload receives that the hook counted; none without telemetry.
    pub hook_receives: Option<u64>,
    /// Requests that the prober sent.
    pub requests_sent: u64,
    /// From the hook's records; none without telemetry.
    pub telemetry: Option<TelemetrySummary>,
}

/// What the hook's records say of itself, per payload receive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySummary {
    /// Median time in the busy wait, ns.
    pub spun_ns_median: f64,
    /// Mean time in the busy wait, ns.
    pub spun_ns_mean: f64,
    /// Median time of the hook's own work besides, ns.
    pub own_ns_median: f64,
    /// Records read.
    pub records: u64,
    /// Payload receives for which there was no room.
    pub dropped: u64,
}

/// A file of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Relative to the run's folder.
    pub path: String,
    /// Length.
    pub bytes: u64,
    /// Checksum, in hexadecimal.
    pub sha256: String,
}
