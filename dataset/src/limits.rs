//! Limits of CPU and memory: those that are set, those that were hit, and how that was watched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one server or the prober may use at most; without a value there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// CPU time by time: 0.5 is half of one processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_cores: Option<f64>,
    /// Memory, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

impl Limits {
    /// Whether anything is limited.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.quota_cores.is_some() || self.memory_bytes.is_some()
    }

    /// These, and those of `other` where these say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            quota_cores: self.quota_cores.or(other.quota_cores),
            memory_bytes: self.memory_bytes.or(other.memory_bytes),
        }
    }
}

/// What enforces the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// Nothing: no limits were asked for, or none could be set.
    #[default]
    None,
    /// Control groups, version 1.
    CgroupV1,
    /// Control groups, version 2.
    CgroupV2,
    /// The container engine or the cluster.
    Engine,
}

impl Enforcement {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::CgroupV1 => "cgroup-v1",
            Self::CgroupV2 => "cgroup-v2",
            Self::Engine => "engine",
        }
    }
}

/// Which kind of limit was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// The CPU quota was used up in some period.
    Throttled,
    /// It wanted more memory than it may have.
    Memory,
    /// A process was killed for want of memory.
    OomKill,
    /// As many descriptors were open as may be.
    FileDescriptors,
}

/// A limit that was hit while a launch was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitHit {
    /// The arm's name, `loadgen`, or the node's name.
    pub subject: String,
    /// Which limit.
    pub kind: LimitKind,
    /// How often and how much, for people.
    pub what: String,
}

/// How the resources of a launch were watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorRecord {
    /// The table, relative to the run's folder.
    pub file: String,
    /// Time between two samples, ns.
    pub interval_ns: u64,
    /// Samples of each subject that was there all the time.
    pub samples: u64,
    /// Processor on which the sampling ran; none where it was not confined to one.
    pub cpu: Option<usize>,
    /// CPU time that the sampling itself took, ns.
    pub own_cpu_ns: u64,
    /// How long it lasted, ns.
    pub elapsed_ns: u64,
    /// Columns without any value, and why.
    pub missing: Vec<Missing>,
}

/// Columns of the table `resources` that are empty for a kind of subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// `arm`, `loadgen` or `node`.
    pub kind: String,
    /// Their names.
    pub columns: Vec<String>,
    /// Why.
    pub reason: String,
}
