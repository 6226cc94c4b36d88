//! The answer to a trial: the effect of the sealed object by the run alone. The process that answers knows the folder of the
//! run and nothing else.

use std::path::Path;

use analysis::claims::{Interval, systematic};
use anyhow::{Context as _, Result};
use dataset::Run;
use model::Location;
use report::results::{ConditionResults, results};
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
    let of = |location: Location| {
        answered(condition, location).with_context(|| {
            format!(
                "{}: the {location} of the effect or of the controls is missing; {}",
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

fn answered(condition: &ConditionResults, location: Location) -> Option<AnsweredEffect> {
    let effect = condition.costs().next()?;
    let effect = match location {
        Location::Mean => effect.wire_mean.as_ref()?,
        Location::Median | Location::TrimmedMean | Location::P99 => effect.wire_median.as_ref()?,
    };
    let statistical = Interval::from(effect);
    let total = systematic::widened(&statistical, condition.systematic_ns(location)?);
    Some(AnsweredEffect {
        value_ns: effect.value,
        statistical_ns: (statistical.low, statistical.high),
        total_ns: (total.low, total.high),
    })
}
