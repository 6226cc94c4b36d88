//! Limits of CPU time and memory: the limits that are set, the limits that were hit, and the record of the watch.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::invalid_value::require;

/// The most CPU time and memory that one server, the load generator or a neighbour may use. A field without a value sets
/// no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceLimits {
    /// CPU time per wall-clock time, in processors: 0.5 is half of one processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_cores: Option<f64>,
    /// Memory, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

impl ResourceLimits {
    /// Returns whether at least one limit is set.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.quota_cores.is_some() || self.memory_bytes.is_some()
    }

    /// Returns these limits, completed by `other` where these set none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            quota_cores: self.quota_cores.or(other.quota_cores),
            memory_bytes: self.memory_bytes.or(other.memory_bytes),
        }
    }

    /// Checks that a process can start under these limits and that the kernel can set them. `least_bytes` is the memory
    /// that a start needs, in bytes.
    ///
    /// # Errors
    /// Names the first limit that is too small or too large.
    pub fn validate(&self, least_bytes: u64) -> Result<(), ModelError> {
        if let Some(quota) = self.quota_cores {
            let within = (0.01..=1024.0).contains(&quota);
            require(within, "quota_cores", quota, "0.01 to 1024 processors")?;
        }
        if let Some(bytes) = self.memory_bytes {
            let expected = format!("at least {least_bytes}, with which a server can start");
            require(bytes >= least_bytes, "memory_bytes", bytes, &expected)?;
        }
        Ok(())
    }
}

/// The table `[limits]` of a definition: the limits of the load generator, and of each arm without limits of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentLimits {
    /// CPU time of each arm, in processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_cores: Option<f64>,
    /// Memory of each arm, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Limits of the load generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loadgen: Option<ResourceLimits>,
}

impl ExperimentLimits {
    /// Returns the limits of an arm without limits of its own.
    #[must_use]
    pub const fn arms(&self) -> ResourceLimits {
        ResourceLimits {
            quota_cores: self.quota_cores,
            memory_bytes: self.memory_bytes,
        }
    }
}

/// The mechanism that enforces the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitEnforcement {
    /// No mechanism: the experiment has no limits, or none could be set.
    #[default]
    None,
    /// Control groups, version 1.
    CgroupV1,
    /// Control groups, version 2.
    CgroupV2,
    /// The container engine or the cluster.
    Engine,
}

impl LimitEnforcement {
    /// Returns the mechanism's name.
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

/// The kind of a limit that was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// The CPU quota of a period was used up.
    Throttled,
    /// A process asked for more memory than the limit.
    Memory,
    /// The kernel killed a process because of the memory limit.
    OomKill,
    /// The number of open file descriptors reached its limit.
    FileDescriptors,
}

/// A limit that was hit during the measurement of a launch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitHit {
    /// The arm's name, `loadgen`, or the node's name.
    pub subject: String,
    /// The kind of limit.
    pub kind: LimitKind,
    /// Number of hits: periods in which the quota was used up, refused requests for memory, killed processes, or samples in
    /// which all descriptors were open.
    pub count: i64,
    /// Memory, bytes, or number of descriptors; none for a CPU quota, and for memory without a limit of the subject's own.
    pub limit: Option<i64>,
    /// Extent of the throttling; none for other limits.
    pub throttling: Option<Throttling>,
}

/// Extent of the throttling by a CPU quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Throttling {
    /// Periods of the quota during the measurement.
    pub periods: i64,
    /// Time in which runnable threads waited for the next period, ns.
    pub waited_ns: i64,
}

impl fmt::Display for LimitHit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count;
        write!(formatter, "{}: ", self.subject)?;
        match self.kind {
            LimitKind::Throttled => {
                let Throttling { periods, waited_ns } = self.throttling.unwrap_or_default();
                #[expect(clippy::cast_precision_loss, reason = "a text for people")]
                let waited_ms = waited_ns as f64 / 1e6;
                return write!(
                    formatter,
                    "throttled in {count} of {periods} periods, for {waited_ms:.1} ms"
                );
            }
            LimitKind::Memory => {
                let times = if count == 1 { "time" } else { "times" };
                write!(formatter, "needed more memory than allowed {count} {times}")?;
            }
            LimitKind::OomKill => {
                let processes = if count == 1 { "process was" } else { "processes were" };
                write!(formatter, "{count} {processes} killed because memory ran out")?;
            }
            LimitKind::FileDescriptors => {
                let limit = self.limit.unwrap_or_default();
                return write!(formatter, "all of {limit} descriptors were open in {count} samples");
            }
        }
        match self.limit {
            Some(bytes) => write!(formatter, ", under a limit of {bytes} bytes"),
            None => formatter.write_str(", under no limit of its own"),
        }
    }
}

/// The record of the sampling of resources during a launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorRecord {
    /// Time between two samples, ns.
    pub interval_ns: u64,
    /// Samples of each subject that existed during the whole launch.
    pub samples: u64,
    /// Processor of the sampling thread; none where it was not confined to one.
    pub cpu: Option<usize>,
    /// CPU time that the sampling itself used, ns.
    pub own_cpu_ns: u64,
    /// Duration of the sampling, ns.
    pub elapsed_ns: u64,
    /// Columns without any value.
    pub missing: Vec<MissingColumns>,
    /// Share of the time for which the servers were runnable without a CPU, summed over the servers. None where they do not
    /// work in turn, or the kernel does not count the waiting time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arms_wait_share: Option<f64>,
}

impl MonitorRecord {
    /// Largest [`Self::arms_wait_share`] that does not flag a launch. It lies between the doses of the study of the checks
    /// (METHODOLOGY.md) that leave the estimates undisturbed and those that disturb them.
    pub const ARMS_WAIT_SHARE: f64 = 0.3;
}

/// Columns of the table `resources` that are empty for one kind of subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MissingColumns {
    /// The kind of subject: `arm`, `loadgen` or `node`.
    pub kind: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The reason.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_under_which_nothing_can_start_are_refused() {
        let refused = |quota_cores, memory_bytes| {
            let limits = ResourceLimits {
                quota_cores,
                memory_bytes,
            };
            limits.validate(1 << 20).unwrap_err().to_string()
        };
        assert_eq!(
            refused(Some(0.0), None),
            "`quota_cores`: 0; expected 0.01 to 1024 processors"
        );
        assert!(refused(Some(f64::NAN), None).contains("`quota_cores`: NaN"));
        assert!(refused(None, Some(1000)).contains("`memory_bytes`: 1000; expected at least 1048576"));
        assert_eq!(ResourceLimits::default().validate(1 << 20), Ok(()));
    }
}
