//! Manifests of version 5.

use std::collections::BTreeMap;

use model::{
    Anomaly, ArmRecord, Clock, ConditionRecord, ControlCheck, FileRecord, Host, LaunchFiles, LaunchRecord, LimitHit,
    LimitKind, Machine, Manifest, MissingColumns, MonitorRecord, Revision, Throttling,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::experiment::parse_experiment;
use super::load_summary::OldSummary;

/// Version of the manifests that this module reads.
pub(crate) const MANIFEST_VERSION: u32 = 5;

/// Parses a manifest of version 5.
///
/// # Errors
/// Names the line and the key that is missing, unknown or of another type.
pub(crate) fn parse_manifest(text: &str) -> Result<Manifest, serde_json::Error> {
    let old: OldManifest = serde_json::from_str(text)?;
    Ok(Manifest {
        schema_version: model::MANIFEST_VERSION,
        run_id: old.run_id,
        experiment: old.experiment,
        plan: parse_experiment(old.plan)?,
        plan_sha256: None,
        clock: old.clock,
        revision: old.git_revision.as_deref().map(revision),
        command_line: old.command_line,
        started_unix_ns: old.started_unix_ns,
        finished_unix_ns: old.finished_unix_ns,
        machine: old.host.machine(),
        host: old.host.host(),
        tools: old.tools,
        conditions: old.conditions,
        launches: old.launches.into_iter().map(OldLaunch::record).collect(),
        files: old.files,
        notes: old.notes,
    })
}

/// Splits what `git describe --dirty` printed.
fn revision(text: &str) -> Revision {
    let (commit, tree_clean) = match text.strip_suffix("-dirty") {
        Some(commit) => (commit, false),
        None => (text, true),
    };
    Revision {
        commit: commit.to_owned(),
        tree_clean,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldManifest {
    #[expect(dead_code, reason = "the caller has compared it")]
    schema_version: u32,
    run_id: String,
    experiment: String,
    plan: serde_json::Value,
    #[expect(dead_code, reason = "the plan repeats it")]
    seed: u64,
    clock: Clock,
    git_revision: Option<String>,
    command_line: Vec<String>,
    started_unix_ns: i64,
    finished_unix_ns: i64,
    host: OldHost,
    tools: BTreeMap<String, String>,
    conditions: Vec<ConditionRecord>,
    launches: Vec<OldLaunch>,
    files: Vec<FileRecord>,
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldHost {
    cpu_model: Option<String>,
    logical_cpus: usize,
    memory_bytes: Option<u64>,
    kernel: Option<String>,
    operating_system: Option<String>,
    clock_source: Option<String>,
    governor: Option<String>,
    virtualised: Option<bool>,
    container: Option<String>,
    mitigations: BTreeMap<String, String>,
}

impl OldHost {
    /// The processor's name begins with its vendor's.
    fn machine(&self) -> Machine {
        let vendor = self.cpu_model.as_deref().and_then(|name| {
            let known = [("AMD", "amd"), ("Intel", "intel")];
            known.into_iter().find(|(prefix, _)| name.starts_with(prefix))
        });
        Machine {
            vendor: vendor.map(|(_, vendor)| vendor.to_owned()),
            name: self.cpu_model.clone(),
            hypervisor: (self.virtualised == Some(true)).then(|| "unknown".to_owned()),
            processors: self.logical_cpus,
            ..Machine::default()
        }
    }

    fn host(self) -> Host {
        Host {
            usable_processors: self.logical_cpus,
            memory_bytes: self.memory_bytes,
            kernel: self.kernel,
            operating_system: self.operating_system,
            clock_source: self.clock_source,
            governor: self.governor,
            container: self.container,
            mitigations: self.mitigations,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldLaunch {
    condition: String,
    launch: u32,
    file: String,
    hook_calls: Option<String>,
    server_calls: Option<String>,
    tight_loops: Option<String>,
    monitor: Option<OldMonitor>,
    limit_hits: Option<Vec<OldLimitHit>>,
    controls: Vec<ControlCheck>,
    arms: Vec<ArmRecord>,
    loadgen: OldSummary,
    valid: bool,
    warnings: Vec<String>,
}

/// A throttled subject; no recording of version 5 hit another limit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldLimitHit {
    subject: String,
    kind: LimitKind,
    #[serde(deserialize_with = "throttled")]
    what: (i64, Throttling),
}

impl OldLimitHit {
    fn hit(self) -> LimitHit {
        let (count, throttling) = self.what;
        LimitHit {
            subject: self.subject,
            kind: self.kind,
            count,
            limit: None,
            throttling: Some(throttling),
        }
    }
}

/// Reads `throttled in 7 of 9 periods, for 62.0 ms`.
fn throttled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(i64, Throttling), D::Error> {
    let text = String::deserialize(deserializer)?;
    let numbers: Vec<f64> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [count, periods, waited_ms] = numbers[..] else {
        let expected = "throttled in NUMBER of NUMBER periods, for TIME ms";
        return Err(D::Error::custom(format!("limit_hits: {text}; expected {expected}")));
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "small counts, and times far below 2^52 ns"
    )]
    let whole = |value: f64| value.round() as i64;
    let throttling = Throttling {
        periods: whole(periods),
        waited_ns: whole(waited_ms * 1e6),
    };
    Ok((whole(count), throttling))
}

impl OldLaunch {
    fn record(self) -> LaunchRecord {
        let (resources, monitor) = self.monitor.map(OldMonitor::split).unzip();
        let mut record = LaunchRecord {
            files: LaunchFiles {
                observations: self.file,
                hook_calls: self.hook_calls,
                server_calls: self.server_calls,
                tight_loops: self.tight_loops,
                resources,
                histograms: None,
            },
            monitor,
            limit_hits: self
                .limit_hits
                .map(|hits| hits.into_iter().map(OldLimitHit::hit).collect()),
            controls: self.controls,
            arms: self.arms,
            loadgen: self.loadgen.summary(&self.warnings),
            valid: self.valid,
            ..LaunchRecord::of_observations(&self.condition, self.launch)
        };
        record.anomalies = anomalies(&record, &self.warnings);
        record
    }
}

/// Returns the warnings that no field of a record implies.
fn anomalies(record: &LaunchRecord, warnings: &[String]) -> Vec<Anomaly> {
    let implied: Vec<String> = record.warnings().iter().map(ToString::to_string).collect();
    let of_check = |text: &str| text.starts_with("check failed: ");
    warnings
        .iter()
        .filter(|text| !of_check(text) && !implied.contains(text))
        .map(|text| Anomaly::Text { text: text.clone() })
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldMonitor {
    file: String,
    interval_ns: u64,
    samples: u64,
    cpu: Option<usize>,
    own_cpu_ns: u64,
    elapsed_ns: u64,
    missing: Vec<MissingColumns>,
}

impl OldMonitor {
    /// Returns the file of the table and the record.
    fn split(self) -> (String, MonitorRecord) {
        let record = MonitorRecord {
            interval_ns: self.interval_ns,
            samples: self.samples,
            cpu: self.cpu,
            own_cpu_ns: self.own_cpu_ns,
            elapsed_ns: self.elapsed_ns,
            missing: self.missing,
            arms_wait_share: None,
        };
        (self.file, record)
    }
}
