//! The run manifest: everything that is to be known of a run besides its rows.

use std::collections::BTreeMap;

use readhook_telemetry::{Counters, FUNCTIONS};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::HostFacts;
use model::{LimitEnforcement, LimitHit, MonitorRecord, ResourceLimits};

/// Version of the manifest; a reader refuses any other.
pub const MANIFEST_VERSION: u32 = 5;

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

impl Manifest {
    /// What a launch cost besides its measured rounds, and what a round cost, s, on average over all launches, which had so
    /// many rounds each; `None` where a launch does not say how long it measured.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts, and times of a run")]
    pub fn costs_s(&self, rounds: u64, warm_up_rounds: u64) -> Option<(f64, f64)> {
        let elapsed = self.launches.iter().map(|launch| launch.loadgen["elapsed_s"].as_f64());
        let elapsed_s = elapsed.sum::<Option<f64>>()?;
        let launches = self.launches.len() as f64;
        let round_s = elapsed_s / launches / rounds as f64;
        let all_s = (self.finished_unix_ns - self.started_unix_ns) as f64 / 1e9;
        let around_s = ((all_s - elapsed_s) / launches).max(0.0);
        Some((around_s + warm_up_rounds as f64 * round_s, round_s))
    }
}

/// A condition that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionRecord {
    /// Such as `local-pod`.
    pub name: String,
    /// Level of isolation that it had: `namespaces`, `user-namespaces`, `loopback`, `containers`, `recorded`.
    pub level: String,
    /// By what the limits of CPU and memory were enforced there.
    pub limits_by: LimitEnforcement,
    /// Whether processors were kept from idle states between requests.
    pub kept_awake: bool,
    /// What a better level or the limits asked for would have needed; none where nothing is missing.
    pub missing: Option<String>,
    /// Why it did not run; none when it did.
    pub not_run: Option<String>,
}

impl ConditionRecord {
    /// Level and limits, and what is missing, for people: `namespaces + limits by cgroup-v1`.
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
    /// File of the hook's calls, relative to the run's folder; none where no arm's hook left records.
    pub hook_calls: Option<String>,
    /// File of the server's own stamps, relative to the run's folder; none where no arm's server left any.
    pub server_calls: Option<String>,
    /// File of receive calls without a server around them, relative to the run's folder; none where none were measured.
    pub tight_loops: Option<String>,
    /// How resources were watched; none where they were not.
    pub monitor: Option<MonitorRecord>,
    /// Limits that were hit while it was measured; none where resources were not watched.
    pub limit_hits: Option<Vec<LimitHit>>,
    /// Controls of this launch alone; empty where the experiment has none.
    pub controls: Vec<ControlCheck>,
    /// In the order of the experiment.
    pub arms: Vec<ArmRecord>,
    /// The prober's own summary.
    pub loadgen: serde_json::Value,
    /// False when a check failed that the estimate depends on.
    pub valid: bool,
    /// What went wrong or was unusual.
    pub warnings: Vec<String>,
}

/// What should be nothing in a launch, held against a margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlCheck {
    /// Which: the contrast's name, or what of the order was compared.
    pub name: String,
    /// What was found, ns; none where it could not be told.
    pub value_ns: Option<f64>,
    /// Its standard error within the launch, ns; none where it could not be told.
    pub standard_error_ns: Option<f64>,
    /// How far from zero it may be, ns.
    pub margin_ns: f64,
    /// How that ended.
    pub verdict: ControlVerdict,
}

/// How a control of a launch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlVerdict {
    /// Within the margin, or beyond it by no more than three standard errors.
    Passed,
    /// Farther beyond it.
    Failed,
    /// Could not be told.
    NotRun,
}

impl ControlCheck {
    /// Holds a value, with its standard error, against a margin. A short launch says little, and is not blamed for it.
    #[must_use]
    pub fn of(name: String, found_ns: Option<(f64, f64)>, margin_ns: f64) -> Self {
        Self {
            verdict: match found_ns {
                Some((value_ns, error_ns)) if value_ns.abs() - 3.0 * error_ns <= margin_ns => ControlVerdict::Passed,
                Some(_) => ControlVerdict::Failed,
                None => ControlVerdict::NotRun,
            },
            name,
            value_ns: found_ns.map(|(value_ns, _)| value_ns),
            standard_error_ns: found_ns.map(|(_, error_ns)| error_ns),
            margin_ns,
        }
    }
}

impl LaunchRecord {
    /// A launch of which nothing more is known than its file of observations, relative to the run's folder.
    #[must_use]
    pub fn of_observations(condition: &str, launch: u32, file: String) -> Self {
        Self {
            condition: condition.to_owned(),
            launch,
            file,
            hook_calls: None,
            server_calls: None,
            tight_loops: None,
            monitor: None,
            limit_hits: None,
            controls: Vec::new(),
            arms: Vec::new(),
            loadgen: serde_json::json!({}),
            valid: true,
            warnings: Vec::new(),
        }
    }

    /// By how much longer the hook of one arm held payloads back than that of another: the calibration's truth, ns; `of` says
    /// which of the summary's times. `None` without telemetry.
    #[must_use]
    pub fn held_longer_ns(&self, arm: &str, baseline: &str, of: impl Fn(&TelemetrySummary) -> f64) -> Option<f64> {
        let held_ns = |name: &str| self.arm(name)?.telemetry.as_ref().map(&of);
        Some(held_ns(arm)? - held_ns(baseline)?)
    }

    /// An arm's record, by its name.
    #[must_use]
    pub fn arm(&self, name: &str) -> Option<&ArmRecord> {
        self.arms.iter().find(|arm| arm.arm == name)
    }

    /// The files of tables that not every launch has, but for that of the resources.
    pub fn tables(&self) -> impl Iterator<Item = &String> {
        let tables = [&self.hook_calls, &self.server_calls, &self.tight_loops];
        tables.into_iter().flatten()
    }

    /// The file that this record is kept in, relative to the run's folder.
    #[must_use]
    pub fn own_file(&self) -> String {
        self.file
            .replace("observations/", "launches/")
            .replace(".parquet", ".json")
    }
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
    /// Limits that were set for it; none without limits.
    pub limits: Option<ResourceLimits>,
    /// Whether the hook stood in the process's memory map; none for unmodified arms.
    pub hook_mapped: Option<bool>,
    /// Requests that the prober sent.
    pub requests_sent: u64,
    /// From the hook's records; none without telemetry.
    pub telemetry: Option<TelemetrySummary>,
    /// What the hook saw of the process; none without telemetry.
    pub coverage: Option<Coverage>,
    /// From the server's own stamps; none without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerSummary>,
    /// The same treatment without a server around it; none where that was not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tight_loop: Option<TightLoopSummary>,
    /// What the process and its children took; none in runs that did not look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

/// What a server's processes took while it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Processor time, of processes that lived to the end, ns.
    pub cpu_ns: u64,
    /// Memory that was resident at the end, shared pages counted in each process, bytes.
    pub rss_bytes: u64,
    /// The same with each page divided by the number of processes of the machine that share it, bytes.
    pub pss_bytes: u64,
}

/// What the hook saw of a process and its children: nothing else that they received is covered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Processes that loaded the hook; with 0, nothing is covered.
    pub processes: u32,
    /// Calls by function, of those that were called.
    pub calls: BTreeMap<String, u64>,
    /// Sockets accepted through a replaced function.
    pub sockets_accepted: u64,
    /// Accepted sockets whose number is beyond the hook's table.
    pub sockets_untracked: u64,
    /// Receives of payload on accepted sockets.
    pub payload_receives: u64,
    /// Bytes of these.
    pub payload_bytes: u64,
    /// Payloads in which a word was found.
    pub hits: u64,
    /// Hits that could not be logged.
    pub log_dropped: u64,
}

impl Coverage {
    /// From the hook's counters.
    #[must_use]
    pub fn of(counters: &Counters) -> Self {
        let calls = FUNCTIONS.iter().zip(counters.calls).filter(|(_, calls)| *calls > 0);
        Self {
            processes: counters.attached,
            calls: calls.map(|(name, calls)| ((*name).to_owned(), calls)).collect(),
            sockets_accepted: counters.sockets_accepted,
            sockets_untracked: counters.sockets_untracked,
            payload_receives: counters.payload_receives,
            payload_bytes: counters.payload_bytes,
            hits: counters.hits,
            log_dropped: counters.log_dropped,
        }
    }
}

/// What the hook's records say of itself, per payload receive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySummary {
    /// Median time for which the hook held a payload back, ns: from the real call's return to the hook's last look at the
    /// clock, the busy wait and the hook's own work together.
    pub held_ns_median: f64,
    /// Mean of the same, ns.
    pub held_ns_mean: f64,
    /// Median time of the hook's own work without the busy wait, ns.
    pub own_ns_median: f64,
    /// Records read.
    pub records: u64,
    /// Payload receives for which there was no room.
    pub dropped: u64,
}

/// What the server's own stamps say, per request, warm-up left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSummary {
    /// Median time in the receive calls, ns.
    pub call_ns_median: f64,
    /// Median time from before the first receive call until the answer was sent, ns.
    pub handler_ns_median: f64,
    /// Requests stamped, those of the warm-up not among them.
    pub records: u64,
    /// Requests for whose stamps there was no room.
    pub dropped: u64,
}

/// What receive calls take in a tight loop, with and without a treatment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TightLoopSummary {
    /// Median over blocks of the time per call without the hook, ns.
    pub bare_ns_median: f64,
    /// The same with it, ns.
    pub hooked_ns_median: f64,
    /// Blocks of each.
    pub blocks: u64,
}

impl TightLoopSummary {
    /// What the treatment adds to a call, ns.
    #[must_use]
    pub fn cost_ns(&self) -> f64 {
        self.hooked_ns_median - self.bare_ns_median
    }
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
