//! The costs of hooks, read from a run of `cargo xtask measure`.

use std::path::{Path, PathBuf};

use analysis::{Estimate, LatencyMetric, LaunchSamples, estimate};
use anyhow::{Context, Result, ensure};
use dataset::{PREFLIGHT_FILE, PreflightRecord, Run, ServerFault};
use model::{ContrastRole, Location};
use model::{LaunchRecord, Manifest, ProcessResources, WarningKind, flagged_line};
use samples::run_samples;
use serde::Serialize;

use super::start::StartEstimates;
use crate::results::{self, Effect};
use crate::table::microseconds;

/// The arm without a hook.
const BARE: &str = "unmodified";

/// The costs of all hooks of a measurement.
#[derive(Clone, Debug, Serialize)]
pub struct HookCosts {
    /// The server.
    pub server: String,
    /// The hooks in the order of the command line.
    pub hooks: Vec<MeasuredHook>,
    /// The differences between two hooks.
    pub comparisons: Vec<Effect>,
    /// The difference of two servers without a hook.
    pub control: Option<Effect>,
    /// The recovered known delay.
    pub calibration: Option<Effect>,
    /// The number of launches.
    pub launches: usize,
    /// Warnings for the reader.
    pub warnings: Vec<String>,
    /// The manifest; `None` where nothing was measured.
    #[serde(skip)]
    pub manifest: Option<Manifest>,
}

/// One hook.
#[derive(Clone, Debug, Serialize)]
pub struct MeasuredHook {
    /// Its name.
    pub name: String,
    /// The shared object.
    pub path: PathBuf,
    /// The reason for which it was not measured.
    pub fault: Option<ServerFault>,
    /// The costs of loading it; `None` where they were not measured.
    pub start: Option<StartEstimates>,
    /// Its cost; `None` where it was not measured.
    pub cost: Option<HookCost>,
}

/// The cost of a hook, compared with the same server without one.
#[derive(Clone, Debug, Serialize)]
pub struct HookCost {
    /// Latency, ns.
    pub latency: Effect,
    /// Share by which the requests a second of one connection change, each sent when the answer to the last is there.
    pub throughput: Option<Estimate>,
    /// Processor time of the server by request, ns.
    pub cpu_ns: Option<Estimate>,
    /// Resident memory, bytes.
    pub rss_bytes: Option<Estimate>,
    /// Proportional memory, bytes.
    pub pss_bytes: Option<Estimate>,
}

impl HookCosts {
    /// Reads the folder that `runner measure` has written.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(PREFLIGHT_FILE);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let tried: PreflightRecord =
            serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        let mut measured = Self {
            server: tried.server,
            hooks: Vec::new(),
            comparisons: Vec::new(),
            control: None,
            calibration: None,
            launches: 0,
            warnings: tried.warnings,
            manifest: None,
        };
        measured
            .warnings
            .extend(tried.no_calibration.map(|why| format!("no calibration: {why}")));
        let mut effects = Vec::new();
        let mut samples = Vec::new();
        let mut records = Vec::new();
        if directory.join("manifest.json").exists() {
            let run = Run::open(directory)?;
            let loaded = run_samples(&run)?;
            let results = results::results(&run.manifest, &loaded)?;
            effects = results
                .conditions
                .into_iter()
                .flat_map(|condition| condition.effects)
                .collect();
            samples = loaded.launches;
            records.clone_from(&run.manifest.launches);
            measured.launches = records.len();
            measured.warnings.extend(warnings(&run.manifest, &effects));
            measured.manifest = Some(run.manifest);
        }
        ensure!(
            measured.launches > 0 || tried.hooks.iter().all(|hook| hook.fault.is_some()),
            "{} is unfinished: it was stopped while it was measured; measure again",
            directory.display()
        );
        for hook in tried.hooks {
            let found = effects
                .iter()
                .position(|effect| effect.arm == hook.name && effect.baseline == BARE);
            let cost = found.map(|index| HookCost::of(effects.remove(index), &samples, &records));
            measured.hooks.push(MeasuredHook {
                name: hook.name,
                path: hook.path,
                fault: hook.fault,
                start: hook.start.as_ref().map(StartEstimates::of).transpose()?,
                cost,
            });
        }
        for effect in effects {
            match effect.role {
                ContrastRole::Control => measured.control = Some(effect),
                ContrastRole::Calibration => measured.calibration = Some(effect),
                ContrastRole::Effect => measured.comparisons.push(effect),
            }
        }
        Ok(measured)
    }

    /// The number of hooks with which the server does not work.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.hooks.iter().filter(|hook| hook.fault.is_some()).count()
    }

    /// The hooks whose effect on the median lies above a threshold with its whole interval.
    #[must_use]
    pub fn above(&self, threshold_ns: f64) -> Vec<&str> {
        let above = self.hooks.iter().filter(|hook| {
            let latency = hook.cost.as_ref().map(|cost| cost.latency.primary());
            latency.is_some_and(|estimate| estimate.confidence_interval.0 > threshold_ns)
        });
        above.map(|hook| hook.name.as_str()).collect()
    }
}

/// The warnings of the launches with their counts, and the warnings of controls that miss.
fn warnings(manifest: &Manifest, effects: &[Effect]) -> Vec<String> {
    let mut warnings = manifest.notes.clone();
    if manifest.launches.iter().any(|launch| !launch.valid) {
        warnings.push(flagged_line(&manifest.launches));
    }
    let notes = manifest.launches.iter().flat_map(LaunchRecord::warnings);
    let counts = WarningKind::counted(notes.filter(|warning| !warning.invalidates()));
    warnings.extend(
        counts
            .iter()
            .map(|(kind, count)| format!("{kind}: in {count} launches")),
    );
    let outside = |estimate: &Estimate| estimate.confidence_interval.0 > 0.0 || estimate.confidence_interval.1 < 0.0;
    for effect in effects {
        if effect.role == ContrastRole::Control && outside(effect.primary()) {
            let found = microseconds(effect.primary());
            warnings.push(format!(
                "two servers without a hook differ by {found} µs: an effect of this size need not be the hook's"
            ));
        }
        if let Some(error) = effect.error.as_ref().filter(|error| outside(error)) {
            warnings.push(format!(
                "the known delay is recovered with an error of {} µs",
                microseconds(error)
            ));
        }
    }
    warnings
}

impl HookCost {
    fn of(latency: Effect, samples: &[LaunchSamples], records: &[LaunchRecord]) -> Self {
        let arm = latency.arm.clone();
        let by_record = |value: &dyn Fn(&ProcessResources, u64) -> f64| {
            let differences: Option<Vec<f64>> = records
                .iter()
                .map(|record| {
                    let of = |name: &str| {
                        let found = record.arm(name)?;
                        Some(value(&found.resources?, found.requests_sent.max(1)))
                    };
                    Some(of(&arm)? - of(BARE)?)
                })
                .collect();
            estimate(&differences?).ok()
        };
        #[expect(clippy::cast_precision_loss, reason = "bytes and nanoseconds of one launch")]
        let (cpu_ns, rss_bytes, pss_bytes) = (
            by_record(&|resources, requests| resources.cpu_ns as f64 / requests as f64),
            by_record(&|resources, _| resources.rss_bytes as f64),
            by_record(&|resources, _| resources.pss_bytes as f64),
        );
        Self {
            throughput: throughput(samples, &latency.arm),
            latency,
            cpu_ns,
            rss_bytes,
            pss_bytes,
        }
    }
}

/// The ratio of the mean round trips without and with the hook, minus 1, over launches.
fn throughput(samples: &[LaunchSamples], arm: &str) -> Option<Estimate> {
    let changes: Option<Vec<f64>> = samples
        .iter()
        .map(|launch| {
            let mean = |name: &str| launch.arms.get(name)?.of(LatencyMetric::Rtt).location(Location::Mean);
            Some(mean(BARE)? / mean(arm)? - 1.0)
        })
        .collect();
    estimate(&changes?).ok()
}
