//! The controls of one launch: what should be nothing in it, held against the margins of `analysis/claims.toml`. A launch
//! beyond a margin is flagged, so that estimates are given with and without it; whether a run's controls hold is another
//! question, which its intervals answer.

use std::path::Path;

use analysis::claims::{Claims, ControlKind};
use analysis::{LaunchSamples, Location, Quantity, differences};
use anyhow::Result;
use dataset::{ControlCheck, ControlVerdict, LaunchRecord};
use loadgen::Schedule;

use crate::definition::{Contrast, Experiment, Role};
use crate::observed::Observed;
use crate::record::OBSERVATIONS;

/// Adds the controls to a launch's record; one that fails makes the launch invalid and leaves a warning.
pub(crate) fn hold(experiment: &Experiment, folder: &Path, mut record: LaunchRecord) -> Result<LaunchRecord> {
    let kinds = experiment.contrasts.iter().filter_map(|contrast| match contrast.role {
        Role::Effect => None,
        Role::Control => Some((contrast, ControlKind::AA)),
        Role::Calibration => Some((contrast, ControlKind::Calibration)),
    });
    let kinds: Vec<(&Contrast, ControlKind)> = kinds.collect();
    if kinds.is_empty() {
        return Ok(record);
    }
    let in_turn = experiment.load.schedule == Schedule::Interleaved && experiment.arms.len() > 1;
    let subject = experiment.contrasts.first().map(|contrast| contrast.baseline.as_str());
    let observed = Observed::read(&folder.join(OBSERVATIONS), &record, subject.filter(|_| in_turn))?;
    let claims = Claims::stated()?;
    let margins = claims.margins(experiment.sut.name());
    for (contrast, kind) in kinds {
        let value_ns = value(contrast, kind, &observed.samples, &record);
        let check = ControlCheck::of(contrast.name.clone(), value_ns, margins.of(kind));
        record.controls.push(check);
    }
    if in_turn {
        let name = format!("{} last in a round, not first", subject.unwrap_or_default());
        let check = ControlCheck::of(name, observed.order.turn(), margins.of(ControlKind::AA));
        record.controls.push(check);
    }
    for check in &record.controls {
        if check.verdict == ControlVerdict::Failed {
            record.valid = false;
            record.warnings.push(format!(
                "{}: {:+.0} ns in this launch, expected zero within {:.0} ns",
                check.name,
                check.value_ns.unwrap_or_default(),
                check.margin_ns
            ));
        }
    }
    Ok(record)
}

/// The difference that should be nothing, ns; `None` where an arm, a stamp or the truth is missing.
fn value(contrast: &Contrast, kind: ControlKind, samples: &LaunchSamples, record: &LaunchRecord) -> Option<f64> {
    let of = |quantity| {
        let found = differences(
            std::slice::from_ref(samples),
            &contrast.baseline,
            &contrast.arm,
            quantity,
            contrast.location,
        );
        found.ok()?.first().copied()
    };
    match kind {
        // Where the kernel gives no stamps, the round trip stands in, as in the report.
        ControlKind::AA => of(Quantity::WireTime).or_else(|| of(Quantity::Rtt)),
        ControlKind::Calibration => {
            let held_ns = |name: &str| {
                let arm = record.arms.iter().find(|arm| arm.arm == name)?;
                arm.telemetry.as_ref().map(|telemetry| match contrast.location {
                    Location::Mean => telemetry.held_ns_mean,
                    Location::Median | Location::TrimmedMean | Location::P99 => telemetry.held_ns_median,
                })
            };
            Some(of(Quantity::WireTime)? - (held_ns(&contrast.arm)? - held_ns(&contrast.baseline)?))
        }
    }
}
