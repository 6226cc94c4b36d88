//! The answer to a trial: the effect of the sealed object by the run alone. The process that answers knows the folder of the
//! run and nothing else.

use std::path::Path;

use analysis::Estimate;
use analysis::student;
use anyhow::{Context as _, Result};
use dataset::Run;
use model::{ContrastRole, Location};
use report::results::{Effect, results};
use samples::run_samples;
use serde::{Deserialize, Serialize};

/// The answer to one trial, in `answer.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialAnswer {
    /// The effect on the median wire time.
    pub(crate) median: AnsweredEffect,
    /// The effect on the mean wire time.
    pub(crate) mean: AnsweredEffect,
}

/// An effect with both intervals, ns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnsweredEffect {
    /// The estimate.
    pub(crate) value_ns: f64,
    /// The 95 % interval over launches.
    pub(crate) statistical_ns: (f64, f64),
    /// The interval with the systematic part.
    pub(crate) total_ns: (f64, f64),
}

/// Answers a trial by its run.
///
/// # Errors
/// If the run cannot be read, or lacks the effect, a control or kernel stamps.
pub(crate) fn answer(folder: &Path) -> Result<TrialAnswer> {
    let run = Run::open(folder)?;
    let results = results(&run.manifest, &run_samples(&run)?)?;
    let [condition] = &results.conditions[..] else {
        anyhow::bail!("{}: expected one condition", run.manifest.run_id);
    };
    let effects: Vec<(Location, &Effect)> = run
        .manifest
        .contrasts()
        .iter()
        .map(|contrast| contrast.location)
        .zip(&condition.effects)
        .collect();
    let of = |location: Location| {
        let found = answered(&effects, location);
        found.with_context(|| {
            format!(
                "{}: the {location} of the effect, of the A/A control or of the calibration is missing; {}",
                run.manifest.run_id,
                condition.not_run.as_deref().unwrap_or("the kernel gave no stamps")
            )
        })
    };
    Ok(TrialAnswer {
        median: of(Location::Median)?,
        mean: of(Location::Mean)?,
    })
}

fn answered(effects: &[(Location, &Effect)], location: Location) -> Option<AnsweredEffect> {
    let of = |effect: &Effect| match location {
        Location::Mean => effect.wire_mean,
        Location::Median | Location::TrimmedMean | Location::P99 => effect.wire_median,
    };
    let with_role = |role| effects.iter().filter(move |(_, effect)| effect.role == role);
    let effect = of(with_role(ContrastRole::Effect).next()?.1)?;
    let control = of(with_role(ContrastRole::Control).next()?.1)?;
    let calibration = with_role(ContrastRole::Calibration)
        .find(|(at, _)| *at == location)?
        .1
        .error?;
    let (low, high) = effect.confidence_interval;
    let bound_ns = bound_ns(&control).max(bound_ns(&calibration));
    Some(AnsweredEffect {
        value_ns: effect.value,
        statistical_ns: (low, high),
        total_ns: (low - bound_ns, high + bound_ns),
    })
}

/// The bound on the absolute error that a control shows, ns: the larger absolute end of the 90 % interval of recovered minus true.
#[expect(clippy::cast_precision_loss, reason = "a count of launches")]
fn bound_ns(error: &Estimate) -> f64 {
    error.value.abs() + student::quantile(0.95, error.launches as f64 - 1.0) * error.standard_error()
}
