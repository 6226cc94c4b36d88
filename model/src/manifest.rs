//! The manifest of a run: everything that is known of a run besides its rows.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contrast::Contrast;
use crate::experiment::Experiment;
use crate::launch_record::LaunchRecord;
use crate::limits::LimitEnforcement;
use crate::machine::{Host, Machine};

/// Version of the manifest. A reader refuses any other.
pub const MANIFEST_VERSION: u32 = 6;

/// Clock of the user stamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// `CLOCK_MONOTONIC`.
    #[default]
    Monotonic,
    /// Nanoseconds since 1970, as in the recordings of 2023.
    Realtime,
}

/// A run, in `manifest.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`].
    pub schema_version: u32,
    /// Name of the run, which is its folder's; of a grid's cell `GRID/CELL`.
    pub run_id: String,
    /// Name of the experiment.
    pub experiment: String,
    /// The experiment as it was run, with defaults and overrides filled in; none for a run that was imported from the
    /// recordings of others.
    pub plan: Option<Experiment>,
    /// SHA-256 of the registered plan, in hexadecimal; none for a run that no registered plan asked for.
    pub plan_sha256: Option<String>,
    /// Clock of the user stamps.
    pub clock: Clock,
    /// Revision of the tools; none outside of a git checkout.
    pub revision: Option<Revision>,
    /// The command that made the run.
    pub command_line: Vec<String>,
    /// Start, nanoseconds since 1970.
    pub started_unix_ns: i64,
    /// End, nanoseconds since 1970.
    pub finished_unix_ns: i64,
    /// What identifies the machine on which the runner ran.
    pub machine: Machine,
    /// What else of this machine can change a latency.
    pub host: Host,
    /// Versions of tools by their names.
    pub tools: BTreeMap<String, String>,
    /// Conditions of the experiment, whether they ran or not.
    pub conditions: Vec<ConditionRecord>,
    /// Finished launches.
    pub launches: Vec<LaunchRecord>,
    /// Every file of the run except the manifest and the RO-Crate.
    pub files: Vec<FileRecord>,
    /// Notes for readers.
    pub notes: Vec<String>,
}

impl Manifest {
    /// Returns the contrasts of the experiment; none for an imported run.
    #[must_use]
    pub fn contrasts(&self) -> &[Contrast] {
        self.plan.as_ref().map_or(&[], |plan| &plan.contrasts)
    }

    /// Returns the launches of a condition.
    pub fn launches_in(&self, condition: &str) -> impl Iterator<Item = &LaunchRecord> {
        self.launches.iter().filter(move |launch| launch.condition == condition)
    }

    /// Returns the mean time of a launch outside of its measured rounds and the mean time of a round, both s. Every launch had
    /// `rounds` rounds, of which `warm_up_rounds` were warm-up. `None` if a launch lacks the load generator's summary.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts and durations of a run are far below 2^53"
    )]
    pub fn costs_s(&self, rounds: u64, warm_up_rounds: u64) -> Option<(f64, f64)> {
        let elapsed = self
            .launches
            .iter()
            .map(|launch| Some(launch.loadgen.as_ref()?.elapsed_s));
        let elapsed_s = elapsed.sum::<Option<f64>>()?;
        let launches = self.launches.len() as f64;
        let round_s = elapsed_s / launches / rounds as f64;
        let all_s = (self.finished_unix_ns - self.started_unix_ns) as f64 / 1e9;
        let around_s = ((all_s - elapsed_s) / launches).max(0.0);
        Some((around_s + warm_up_rounds as f64 * round_s, round_s))
    }
}

/// Revision of the tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// Hash of the git commit, in hexadecimal.
    pub commit: String,
    /// Whether the tree was the commit's, without changes.
    pub tree_clean: bool,
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.commit)?;
        formatter.write_str(if self.tree_clean { "" } else { "-dirty" })
    }
}

/// A condition of the experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionRecord {
    /// Name, such as `local-pod`.
    pub name: String,
    /// Level of isolation: `namespaces`, `user-namespaces`, `loopback`, `containers`, `recorded`, `none`.
    pub level: String,
    /// Mechanism that enforced the limits of CPU and memory.
    pub limits_by: LimitEnforcement,
    /// Whether processors were kept from idle states between requests.
    pub kept_awake: bool,
    /// What a better level or the limits of the experiment need; none where nothing is missing.
    pub missing: Option<String>,
    /// Reason for which the condition did not run; none if it ran.
    pub not_run: Option<String>,
}

impl ConditionRecord {
    /// Returns level, limits and missing things as a text: `namespaces + limits by cgroup-v1`.
    #[must_use]
    pub fn described(&self) -> String {
        let mut text = self.level.clone();
        if self.limits_by != LimitEnforcement::None {
            text += " + limits by ";
            text += self.limits_by.name();
        }
        if self.kept_awake {
            text += ", processors kept awake";
        }
        if let Some(missing) = &self.missing {
            text += "; missing: ";
            text += missing;
        }
        text
    }
}

/// A file of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Path relative to the run's folder.
    pub path: String,
    /// Length, bytes.
    pub bytes: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
}
