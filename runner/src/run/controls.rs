//! The controls of one launch: differences that should be zero, compared with a margin. A launch
//! beyond the margin is flagged, and the report gives estimates with and without it. The controls of a whole run are judged by
//! their intervals.

use std::path::Path;

use analysis::claims::ControlKind;
use analysis::{Distribution, LatencyMetric, LaunchSamples};
use anyhow::Result;
use model::{Contrast, ContrastRole, ControlCheck, Experiment, LaunchRecord, Location, OBSERVATIONS_FILE, Schedule};
use samples::{FoldSettings, ObservedLaunch};

/// The name of the project's own server in plans.
const SYNTHETIC: &str = "synthetic";
/// The margin of a control of the project's own server, ns.
const SYNTHETIC_MARGIN_NS: f64 = 300.0;
/// The margin of a control of any other server, ns. Two processes of such a server differ more.
const OTHER_MARGIN_NS: f64 = 1_000.0;

/// Adds the controls to the record of a launch. A failed control is a warning and makes the launch invalid.
///
/// # Errors
/// If the observations cannot be read.
pub(crate) fn hold(experiment: &Experiment, folder: &Path, mut record: LaunchRecord) -> Result<LaunchRecord> {
    let kinds = experiment.contrasts.iter().filter_map(|contrast| match contrast.role {
        ContrastRole::Effect => None,
        ContrastRole::Control => Some((contrast, ControlKind::AA)),
        ContrastRole::Calibration => Some((contrast, ControlKind::Calibration)),
    });
    let kinds: Vec<(&Contrast, ControlKind)> = kinds.collect();
    if kinds.is_empty() {
        return Ok(record);
    }
    let in_turn = experiment.load.schedule == Schedule::Interleaved && experiment.arms.len() > 1;
    let subject = experiment.contrasts.first().map(|contrast| contrast.baseline.as_str());
    let file = folder.join(OBSERVATIONS_FILE);
    let observed = ObservedLaunch::read(&file, &record, &FoldSettings::from(experiment), None)?;
    let margin_ns = if experiment.sut.name() == SYNTHETIC {
        SYNTHETIC_MARGIN_NS
    } else {
        OTHER_MARGIN_NS
    };
    for (contrast, kind) in kinds {
        let found_ns = found(contrast, kind, &observed.samples, &record);
        let check = ControlCheck::of(contrast.name.clone(), found_ns, margin_ns);
        record.controls.push(check);
    }
    if in_turn {
        let name = format!("{} last in a round, not first", subject.unwrap_or_default());
        let found_ns = observed
            .timeline
            .order
            .turn()
            .zip(observed.timeline.order.turn_standard_error());
        let check = ControlCheck::of(name, found_ns, margin_ns);
        record.controls.push(check);
    }
    record.judge();
    Ok(record)
}

/// Returns the difference that should be zero and its standard error, ns; `None` if an arm, the stamps or the known delay is
/// missing.
fn found(contrast: &Contrast, kind: ControlKind, samples: &LaunchSamples, record: &LaunchRecord) -> Option<(f64, f64)> {
    let (baseline, arm) = (samples.arms.get(&contrast.baseline)?, samples.arms.get(&contrast.arm)?);
    let of = |metric| {
        let (baseline, arm) = (baseline.of(metric), arm.of(metric));
        let value_ns = arm.location(contrast.location)? - baseline.location(contrast.location)?;
        let error_ns = match contrast.location {
            Location::Median => arm.median_standard_error()?.hypot(baseline.median_standard_error()?),
            Location::Mean | Location::TrimmedMean | Location::P99 => mean_error(arm)?.hypot(mean_error(baseline)?),
        };
        Some((value_ns, error_ns))
    };
    match kind {
        // Without kernel stamps the round-trip time is used, as in the report.
        ControlKind::AA => of(LatencyMetric::WireTime).or_else(|| of(LatencyMetric::Rtt)),
        ControlKind::Calibration => {
            let (value_ns, error_ns) = of(LatencyMetric::WireTime)?;
            let truth_ns =
                record.held_longer_ns(&contrast.arm, &contrast.baseline, |held| match contrast.location {
                    Location::Mean => held.held_ns_mean,
                    Location::Median | Location::TrimmedMean | Location::P99 => held.held_ns_median,
                })?;
            Some((value_ns - truth_ns, error_ns))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
fn mean_error(distribution: &Distribution) -> Option<f64> {
    Some((distribution.variance()? / distribution.len() as f64).sqrt())
}
