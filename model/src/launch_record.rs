//! The record of a finished launch: its arms, files, checks and warnings.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contrast::Location;
use crate::control_check::ControlCheck;
use crate::launch_files::LaunchFiles;
use crate::launch_warning::{Anomaly, LaunchWarning};
use crate::limits::{LimitHit, MonitorRecord, ResourceLimits};
use crate::load_summary::{CheckVerdict, LoadSummary};

/// A finished launch, also in `CONDITION/NNNN/launch.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaunchRecord {
    /// Name of the condition.
    pub condition: String,
    /// Number of the launch in its condition, from 0.
    pub launch: u32,
    /// Number of the batch of launches that shared containers or pods, from 0; none where each launch made its own.
    pub batch: Option<u32>,
    /// Name of the machine or of the cluster's node that ran the servers; none where it is not known.
    pub node: Option<String>,
    /// Name of the network path between load generator and servers; none where the condition has only one.
    pub path: Option<String>,
    /// The launch's files.
    pub files: LaunchFiles,
    /// Load of the host and time that the hypervisor withheld; none where they were not read.
    pub host_load: Option<HostLoad>,
    /// How resources were watched; none where they were not.
    pub monitor: Option<MonitorRecord>,
    /// Limits that were hit during the measurement; none where resources were not watched.
    pub limit_hits: Option<Vec<LimitHit>>,
    /// Controls of this launch alone; empty where the experiment has none.
    pub controls: Vec<ControlCheck>,
    /// The arms, in the order of the experiment.
    pub arms: Vec<ArmRecord>,
    /// Summary of the load generator; none where another program sent the requests.
    pub loadgen: Option<LoadSummary>,
    /// False if a check failed on which the estimates depend.
    pub valid: bool,
    /// Anomalies that the runner found. [`Self::warnings`] returns them with the warnings that other fields imply.
    pub anomalies: Vec<Anomaly>,
}

impl LaunchRecord {
    /// Makes the record of a valid launch that has observations and nothing else.
    #[must_use]
    pub fn of_observations(condition: &str, launch: u32) -> Self {
        Self {
            condition: condition.to_owned(),
            launch,
            batch: None,
            node: None,
            path: None,
            files: LaunchFiles::of_observations(condition, launch),
            host_load: None,
            monitor: None,
            limit_hits: None,
            controls: Vec::new(),
            arms: Vec::new(),
            loadgen: None,
            valid: true,
            anomalies: Vec::new(),
        }
    }

    /// Returns the warnings of the load generator, the limits that were hit, the anomalies, the controls that failed, and the
    /// waiting of the servers, in this order.
    #[must_use]
    pub fn warnings(&self) -> Vec<LaunchWarning> {
        let of_load = self.loadgen.iter().flat_map(LoadSummary::warnings);
        let hits = self.limit_hits.iter().flatten().cloned();
        let failed = self
            .controls
            .iter()
            .filter(|check| check.verdict == CheckVerdict::Failed);
        let waited = self.monitor.as_ref().and_then(|monitor| monitor.arms_wait_share);
        let waited = waited.filter(|share| *share > MonitorRecord::ARMS_WAIT_SHARE);
        of_load
            .map(LaunchWarning::Load)
            .chain(hits.map(LaunchWarning::LimitHit))
            .chain(self.anomalies.iter().cloned().map(LaunchWarning::Anomaly))
            .chain(failed.cloned().map(LaunchWarning::ControlFailed))
            .chain(waited.map(LaunchWarning::ServersWaited))
            .collect()
    }

    /// Sets [`Self::valid`]: a launch is valid if none of its warnings makes it invalid.
    pub fn judge(&mut self) {
        self.valid = !self.warnings().iter().any(LaunchWarning::invalidates);
    }

    /// Returns the part of the difference of two arms, at a location of their wire times, that the times for which their hooks
    /// held payloads back cause, ns: the true effect of a calibration. `None` without telemetry of both.
    #[must_use]
    pub fn held_longer_ns(&self, arm: &str, baseline: &str, location: Location) -> Option<f64> {
        let (arm, baseline) = (self.arm(arm)?.telemetry?, self.arm(baseline)?.telemetry?);
        Some(match location {
            Location::Mean => arm.held_ns_mean - baseline.held_ns_mean,
            Location::Median | Location::TrimmedMean | Location::P99 => {
                let on_medians = arm.held_ns_on_median.zip(baseline.held_ns_on_median);
                let (arm_ns, baseline_ns) = on_medians.unwrap_or((arm.held_ns_median, baseline.held_ns_median));
                arm_ns - baseline_ns
            }
        })
    }

    /// Returns the record of an arm.
    #[must_use]
    pub fn arm(&self, name: &str) -> Option<&ArmRecord> {
        self.arms.iter().find(|arm| arm.arm == name)
    }
}

/// The host's load and the time that its hypervisor withheld during a launch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostLoad {
    /// Mean number of runnable threads in the minute before the launch began.
    pub average_at_begin: f64,
    /// Mean number of runnable threads in the minute before the launch ended.
    pub average_at_end: f64,
    /// Time that the hypervisor withheld during the launch, summed over the processors, ns.
    pub steal_ns: u64,
}

/// One server of a launch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmRecord {
    /// Name of the arm.
    pub arm: String,
    /// Name of the treatment: `unmodified` or the hook's mode.
    pub treatment: String,
    /// Position in the order of starting, from 0.
    pub start_order: u32,
    /// Position in the order of connecting, from 0.
    pub connection_order: u32,
    /// Address on which the server listened.
    pub address: String,
    /// Limits that were set for the arm; none without limits.
    pub limits: Option<ResourceLimits>,
    /// Whether the hook was in the process's memory map; none for unmodified arms.
    pub hook_mapped: Option<bool>,
    /// Number of requests that the load generator sent.
    pub requests_sent: u64,
    /// Times from the hook's records; none without telemetry.
    pub telemetry: Option<TelemetrySummary>,
    /// Counts of the hook; none without telemetry.
    pub coverage: Option<HookCoverage>,
    /// Times from the server's own stamps; none without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerSummary>,
    /// Times of the same treatment in a tight loop without a server; none where it was not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tight_loop: Option<TightLoopSummary>,
    /// Resources of the server's processes; none where they were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ProcessResources>,
}

/// Resources that the processes of a server used during the measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessResources {
    /// Processor time of the processes that lived to the end, ns.
    pub cpu_ns: u64,
    /// Resident memory at the end, with shared pages counted in each process, bytes.
    pub rss_bytes: u64,
    /// Resident memory at the end, with each page divided by the number of processes that share it, bytes.
    pub pss_bytes: u64,
}

/// Counts of the hook over a server's processes. Payload that is not counted here did not pass the hook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HookCoverage {
    /// Processes that loaded the hook; with 0, the hook saw nothing.
    pub processes: u32,
    /// Calls by function; functions without calls are left out.
    pub calls: BTreeMap<String, u64>,
    /// Sockets that were accepted through a replaced function.
    pub sockets_accepted: u64,
    /// Accepted sockets whose number is beyond the hook's table.
    pub sockets_untracked: u64,
    /// Receives of payload on accepted sockets.
    pub payload_receives: u64,
    /// Bytes of these receives.
    pub payload_bytes: u64,
    /// Payloads in which the hook found a word.
    pub hits: u64,
    /// Hits that the hook could not log.
    pub log_dropped: u64,
}

impl HookCoverage {
    /// Returns the number of calls of receive functions, on files and pipes too.
    #[must_use]
    pub fn receive_calls(&self) -> u64 {
        let receiving = |function: &str| function.contains("read") || function.contains("recv");
        let calls = self.calls.iter().filter(|(function, _)| receiving(function));
        calls.map(|(_, calls)| calls).sum()
    }

    /// Returns the share of the calls of receive functions that delivered no payload of an accepted socket, 0 to 1: calls on files,
    /// pipes and sockets of the program's own requests, and calls without a result. `None` without calls.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of calls")]
    pub fn share_without_request(&self) -> Option<f64> {
        let calls = self.receive_calls();
        (calls > 0).then(|| calls.saturating_sub(self.payload_receives) as f64 / calls as f64)
    }
}

/// Times from the hook's records, per receive of payload.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySummary {
    /// Median time for which the hook held a payload back, ns: from the return of the real call to the hook's last reading
    /// of the clock. It includes the busy wait and the hook's own work.
    pub held_ns_median: f64,
    /// Part of the median wire time that this time causes, ns: the median wire time minus the median of the wire times from
    /// which the hook's time in the same request is subtracted. It differs from the median time if few requests were held
    /// much longer than the others. None if the times cannot be assigned to requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_ns_on_median: Option<f64>,
    /// Mean of the same time, ns.
    pub held_ns_mean: f64,
    /// Median time of the hook's own work without the busy wait, ns.
    pub own_ns_median: f64,
    /// Number of records.
    pub records: u64,
    /// Number of receives of payload for which the file had no room.
    pub dropped: u64,
}

/// Times from the server's own stamps, per request after warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSummary {
    /// Median time in the receive calls, ns.
    pub call_ns_median: f64,
    /// Median time from before the first receive call until the response was sent, ns.
    pub handler_ns_median: f64,
    /// Number of requests with stamps, without warm-up.
    pub records: u64,
    /// Number of requests for whose stamps the file had no room.
    pub dropped: u64,
}

/// Times of receive calls in a tight loop, with and without a treatment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TightLoopSummary {
    /// Median over blocks of the time per call without the hook, ns.
    pub bare_ns_median: f64,
    /// Median over blocks of the time per call with the hook, ns.
    pub hooked_ns_median: f64,
    /// Number of blocks of each kind.
    pub blocks: u64,
}

impl TightLoopSummary {
    /// Returns the time that the treatment adds to a call, ns.
    #[must_use]
    pub fn cost_ns(&self) -> f64 {
        self.hooked_ns_median - self.bare_ns_median
    }
}
