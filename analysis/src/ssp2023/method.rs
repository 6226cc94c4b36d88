//! The validity of the study's method, by its recordings.

use serde::Serialize;

use super::p_value::PValue;
use super::student_t::{moments, student_t};
use super::study_row::{NS_PER_MS, StudyError, StudyRow, after_cut, no_spread, recompute};
use crate::stats::serial;

/// Warm-up cuts at which the sensitivity of p is shown.
pub const CUTS: [usize; 4] = [0, 4_000, 10_000, 20_000];
/// Length of a batch and of a bootstrap block, requests. The squares of the recordings are not correlated at this distance. The
/// requests of docker are (autocorrelation 0.10), so that its effective sizes are too large and its intervals of means too narrow.
pub const BLOCK: usize = 1_000;
/// Bootstrap resamples.
const RESAMPLES: usize = 2_000;
/// Seed of the bootstrap, so that a table is the same each time.
const SEED: u64 = 2_023;

/// One half of a recording tested against the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HalvesRow {
    /// Name of the condition.
    pub condition: String,
    /// `unmodified` or `hook`.
    pub arm: String,
    /// Means of the first and of the second half, ms.
    pub mean_ms: (f64, f64),
    /// Student's t of the second half against the first.
    pub t: f64,
    /// Its two-sided p value.
    pub p: PValue,
    /// p < 0.05: a "difference" between a program and itself.
    pub significant: bool,
}

/// Tests the second half of one recording against the first, after the cut, with the study's own t test. The two
/// halves are the same program under the same treatment, so a sound test finds a difference in one of twenty.
///
/// # Errors
/// When fewer than four rows are left or they do not vary.
pub fn a_a_by_halves(condition: &str, arm: &str, recording_ns: &[i64], cut: usize) -> Result<HalvesRow, StudyError> {
    let rest = after_cut(condition, arm, recording_ns, cut, 4)?;
    let (first, second) = rest.split_at(rest.len() / 2);
    let test = student_t(first, second).ok_or_else(|| no_spread(condition, arm))?;
    Ok(HalvesRow {
        condition: condition.to_owned(),
        arm: arm.to_owned(),
        mean_ms: (test.mean_ns.0 / NS_PER_MS, test.mean_ns.1 / NS_PER_MS),
        t: test.t,
        p: test.p,
        significant: test.p.is_significant(),
    })
}

/// The number of recordings whose halves differ significantly.
#[must_use]
pub fn significant_halves(rows: &[HalvesRow]) -> usize {
    rows.iter().filter(|row| row.significant).count()
}

/// The study's statistics of one condition at several warm-up cuts ([`CUTS`]): a p value that depends on the cut is not
/// a property of the hook.
///
/// # Errors
/// The errors of [`recompute`].
pub fn cut_sensitivity(
    condition: &str,
    unmodified_ns: &[i64],
    hook_ns: &[i64],
    cuts: &[usize],
) -> Result<Vec<StudyRow>, StudyError> {
    cuts.iter()
        .map(|&cut| recompute(condition, unmodified_ns, hook_ns, cut))
        .collect()
}

/// The dependence of the requests of a condition on the requests before them, and the effective sample sizes. Pairs are
/// (unmodified, hook).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dependence {
    /// Name of the condition.
    pub condition: String,
    /// Autocorrelation at lag 1: (unmodified, hook).
    pub lag_1: (f64, f64),
    /// Autocorrelation at lag 100: (unmodified, hook).
    pub lag_100: (f64, f64),
    /// Effective sample size by batch means, requests: (unmodified, hook).
    pub effective_n: (f64, f64),
    /// hook - unmodified, ms.
    pub mean_difference_ms: f64,
    /// 95 % interval of the mean difference by block bootstrap, ms. It describes these two recordings and no other
    /// launch.
    pub bootstrap_interval_ms: (f64, f64),
}

/// Dependence among the requests of a condition, after the cut; see [`serial`] for the estimators.
///
/// # Errors
/// When fewer than 2,000 rows are left of a recording or they do not vary.
pub fn dependence(
    condition: &str,
    unmodified_ns: &[i64],
    hook_ns: &[i64],
    cut: usize,
) -> Result<Dependence, StudyError> {
    let unmodified_ns = after_cut(condition, "unmodified", unmodified_ns, cut, 2 * BLOCK)?;
    let hook_ns = after_cut(condition, "hook", hook_ns, cut, 2 * BLOCK)?;
    let (unmodified_ms, hook_ms) = (milliseconds(unmodified_ns), milliseconds(hook_ns));
    let no_spread = || no_spread(condition, "unmodified or hook");
    let both = |statistic: &dyn Fn(&[f64]) -> Option<f64>| {
        statistic(&unmodified_ms).zip(statistic(&hook_ms)).ok_or_else(no_spread)
    };
    let mean_ns = |recording_ns| moments(recording_ns).map(|(mean_ns, _)| mean_ns).ok_or_else(no_spread);
    Ok(Dependence {
        condition: condition.to_owned(),
        lag_1: both(&|series| serial::autocorrelation(series, 1))?,
        lag_100: both(&|series| serial::autocorrelation(series, 100))?,
        effective_n: both(&|series| serial::effective_sample_size(series, BLOCK))?,
        mean_difference_ms: (mean_ns(hook_ns)? - mean_ns(unmodified_ns)?) / NS_PER_MS,
        bootstrap_interval_ms: serial::block_bootstrap_difference(
            &unmodified_ms,
            &hook_ms,
            BLOCK,
            RESAMPLES,
            0.95,
            SEED,
        )
        .ok_or_else(no_spread)?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "response times are far below 2^53 ns")]
pub(super) fn milliseconds(recording_ns: &[i64]) -> Vec<f64> {
    recording_ns
        .iter()
        .map(|&value_ns| value_ns as f64 / NS_PER_MS)
        .collect()
}
