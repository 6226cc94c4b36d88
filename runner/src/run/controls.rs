//! The controls of one launch: differences that should be zero. A launch whose control shows a bias is flagged, and the
//! report gives estimates with and without it. The controls of a whole run are judged by their intervals.

use std::path::Path;

use analysis::{Distribution, LatencyMetric, LaunchSamples};
use anyhow::Result;
use model::{Contrast, ContrastRole, ControlCheck, Experiment, LaunchRecord, Location, OBSERVATIONS_FILE};
use samples::{FoldSettings, ObservedLaunch};

/// The bias of an estimate from which on a launch is flagged, ns.
const BIAS_NS: f64 = 100.0;
/// The same bias as a share of a known delay. Caches cool during a long delay, and the rest of the request takes longer.
const BIAS_SHARE: f64 = 0.02;

/// Adds the controls to the record of a launch. A failed control is a warning and makes the launch invalid.
///
/// # Errors
/// If the observations cannot be read.
pub(crate) fn hold(experiment: &Experiment, folder: &Path, mut record: LaunchRecord) -> Result<LaunchRecord> {
    let controls = || {
        experiment
            .contrasts
            .iter()
            .filter(|one| one.role != ContrastRole::Effect)
    };
    if controls().next().is_none() {
        return Ok(record);
    }
    let file = folder.join(OBSERVATIONS_FILE);
    let observed = ObservedLaunch::read(&file, &record, &FoldSettings::from(experiment), None)?;
    for contrast in controls() {
        let truth_ns = match contrast.role {
            ContrastRole::Calibration => record.held_longer_ns(&contrast.arm, &contrast.baseline, contrast.location),
            ContrastRole::Control | ContrastRole::Effect => Some(0.0),
        };
        let found_ns = truth_ns.and_then(|truth_ns| found(contrast, &observed.samples, truth_ns));
        let margin_ns = BIAS_NS.max(BIAS_SHARE * truth_ns.unwrap_or_default());
        record
            .controls
            .push(ControlCheck::of(contrast.name.clone(), found_ns, margin_ns));
    }
    record.judge();
    Ok(record)
}

/// Returns the difference of two arms minus its true value, and its standard error, ns; `None` if an arm or the stamps are
/// missing.
fn found(contrast: &Contrast, samples: &LaunchSamples, truth_ns: f64) -> Option<(f64, f64)> {
    let (baseline, arm) = (samples.arms.get(&contrast.baseline)?, samples.arms.get(&contrast.arm)?);
    let of = |metric| {
        let (baseline, arm) = (baseline.of(metric), arm.of(metric));
        let value_ns = arm.location(contrast.location)? - baseline.location(contrast.location)?;
        let error_ns = match contrast.location {
            Location::Median => arm.median_standard_error()?.hypot(baseline.median_standard_error()?),
            Location::Mean | Location::TrimmedMean | Location::P99 => mean_error(arm)?.hypot(mean_error(baseline)?),
        };
        Some((value_ns - truth_ns, error_ns))
    };
    match contrast.role {
        // The wake-up of the client is part of the round-trip time and differs after a delay.
        ContrastRole::Calibration => of(LatencyMetric::WireTime),
        // Without kernel stamps the round-trip time is used, as in the report.
        ContrastRole::Control | ContrastRole::Effect => of(LatencyMetric::WireTime).or_else(|| of(LatencyMetric::Rtt)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
fn mean_error(distribution: &Distribution) -> Option<f64> {
    Some((distribution.variance()? / distribution.len() as f64).sqrt())
}
