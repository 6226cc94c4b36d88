//! The standard deviation of requests in the study's conditions, compared with block-bootstrap intervals.

use serde::Serialize;

use super::method::{BLOCK, milliseconds};
use super::student_t::moments;
use super::study_row::{NS_PER_MS, StudyError, after_cut, no_spread};
use crate::stats::serial::block_bootstrap_variances;
use crate::stats::sorted::quantile;

/// Bootstrap resamples.
const RESAMPLES: usize = 2_000;
/// Seed of the bootstrap, so that a table is the same each time.
const SEED: u64 = 2_023;
/// Confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// Both recordings of one condition: the unmodified program and the hooked program, round-trip times in ns.
#[derive(Clone, Copy, Debug)]
pub struct ConditionRecordings<'a> {
    /// Name of the condition.
    pub condition: &'a str,
    /// Round-trip times of the unmodified program, ns.
    pub unmodified_ns: &'a [i64],
    /// Round-trip times of the hooked program, ns.
    pub hook_ns: &'a [i64],
}

/// The standard deviation of the requests in one condition, divided by that in another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SdRatio {
    /// Name of the condition.
    pub condition: String,
    /// Name of the condition by which it is divided.
    pub other: String,
    /// Pooled standard deviations of the condition and of the other condition, ms.
    pub pooled_sd_ms: (f64, f64),
    /// The ratio.
    pub ratio: f64,
    /// Its 95 % percentile interval by the circular block bootstrap. It describes these recordings and no other launch.
    pub confidence_interval: (f64, f64),
}

/// The ratios of the pooled standard deviations of all ordered pairs of conditions, after the cut. The pooled variance is the mean of
/// the variances of both programs, as in the study. Blocks of [`BLOCK`] requests are drawn from each recording
/// ([`block_bootstrap_variances`]).
///
/// # Errors
/// When a recording has fewer rows than two blocks after the cut, or does not vary.
pub fn sd_ratios(recordings: &[ConditionRecordings<'_>], cut: usize) -> Result<Vec<SdRatio>, StudyError> {
    let pooled: Vec<PooledSd<'_>> = recordings
        .iter()
        .zip(0..)
        .map(|(condition, number)| PooledSd::of(condition, cut, number))
        .collect::<Result<_, _>>()?;
    let pairs = pooled.iter().flat_map(|one| {
        let others = pooled.iter().filter(|other| other.condition != one.condition);
        others.map(move |other| one.by(other))
    });
    Ok(pairs.collect())
}

/// The pooled standard deviation of a condition, and those of its resamples, ms.
struct PooledSd<'a> {
    condition: &'a str,
    sd_ms: f64,
    resampled_ms: Vec<f64>,
}

impl<'a> PooledSd<'a> {
    fn of(recordings: &ConditionRecordings<'a>, cut: usize, number: u64) -> Result<Self, StudyError> {
        let ConditionRecordings {
            condition,
            unmodified_ns,
            hook_ns,
        } = *recordings;
        let missing = || no_spread(condition, "unmodified or hook");
        let mut variances_ms = 0.0;
        let mut resampled = vec![0.0; RESAMPLES];
        for (index, (arm, recording_ns)) in (0..).zip([("unmodified", unmodified_ns), ("hook", hook_ns)]) {
            let rest = after_cut(condition, arm, recording_ns, cut, 2 * BLOCK)?;
            let (_, variance_ns) = moments(rest).ok_or_else(missing)?;
            variances_ms += variance_ns / NS_PER_MS.powi(2);
            let seed = SEED + 2 * number + index;
            let drawn = block_bootstrap_variances(&milliseconds(rest), BLOCK, RESAMPLES, seed).ok_or_else(missing)?;
            resampled
                .iter_mut()
                .zip(drawn)
                .for_each(|(sum, variance)| *sum += variance);
        }
        let pooled = |sum: f64| (sum / 2.0).sqrt();
        Ok(Self {
            condition,
            sd_ms: pooled(variances_ms),
            resampled_ms: resampled.into_iter().map(pooled).collect(),
        })
    }

    fn by(&self, other: &Self) -> SdRatio {
        let mut ratios: Vec<f64> = self
            .resampled_ms
            .iter()
            .zip(&other.resampled_ms)
            .map(|(one, other)| one / other)
            .collect();
        ratios.sort_by(f64::total_cmp);
        let tail = (1.0 - CONFIDENCE) / 2.0;
        SdRatio {
            condition: self.condition.to_owned(),
            other: other.condition.to_owned(),
            pooled_sd_ms: (self.sd_ms, other.sd_ms),
            ratio: self.sd_ms / other.sd_ms,
            confidence_interval: (quantile(&ratios, tail), quantile(&ratios, 1.0 - tail)),
        }
    }
}
