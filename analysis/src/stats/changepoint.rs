//! Changes of the level of a series, and its steadiness.

use serde::{Deserialize, Serialize};

use super::sorted::{mean, median, range};

/// Penalty of a changepoint in units of the noise's variance, times ln n: one for the new level, one for its place and
/// one to be careful, since neighbouring values are not quite independent.
const PENALTY: f64 = 3.0;
/// The smallest standard deviation of the noise as a share of the range. It applies where most neighbours are equal.
const LEAST_SD: f64 = 1e-6;
/// Fewest values of a segment.
const SHORTEST: usize = 2;
/// A level that holds for less than this share of the series' end is not settled.
const SETTLED_SHARE: f64 = 0.25;
/// Consistency of the median absolute difference of neighbours with a normal distribution's standard deviation:
/// 1 / (Φ⁻¹(3/4) √2).
const NEIGHBOURS_TO_SD: f64 = 1.048_358;

/// The behaviour of a series over time (after Barrett et al. 2017, <https://doi.org/10.1145/3133876>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum Steadiness {
    /// One level throughout.
    Flat,
    /// The last level is the lowest, and holds.
    #[strum(to_string = "warm-up")]
    WarmUp,
    /// The last level holds and is not the lowest.
    Slowdown,
    /// The last level lasts for less than a quarter of the series.
    #[strum(to_string = "no steady state")]
    NoSteadyState,
}

/// The levels of a series.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct SeriesLevels {
    /// Index at which each level but the first begins.
    pub changepoints: Vec<usize>,
    /// Mean of each level.
    pub means: Vec<f64>,
    /// The behaviour of the series.
    pub steadiness: Steadiness,
}

impl SeriesLevels {
    /// Index at which the last level begins.
    #[must_use]
    pub fn settled_from(&self) -> usize {
        self.changepoints.last().copied().unwrap_or(0)
    }
}

/// Finds the levels of a series: the segmentation that minimises the sum of squares about each segment's mean plus a
/// penalty of 3 σ² ln n for each changepoint, by pruned exact linear time (Killick, Fearnhead & Eckley 2012,
/// <https://doi.org/10.1080/01621459.2012.737745>), with σ from the median absolute difference of neighbours. Assumes noise
/// of one width around levels; slow drifts come out as stairs. Validated against `ruptures` (`tests/reference`).
///
/// `None` for fewer than four values, or one that is not finite.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "lengths of series")]
pub fn levels(series: &[f64]) -> Option<SeriesLevels> {
    if series.len() < 2 * SHORTEST || series.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let (low, high) = range(series.iter().copied());
    let variance = noise_sd(series).max(LEAST_SD * (high - low)).powi(2);
    let penalty = PENALTY * variance * (series.len() as f64).ln();
    let changepoints = pelt(series, penalty);
    let ends = changepoints.iter().copied().chain([series.len()]);
    let starts = [0].into_iter().chain(changepoints.iter().copied());
    let means: Vec<f64> = starts.zip(ends).map(|(start, end)| mean(&series[start..end])).collect();
    let last = *means.last()?;
    let settled = series.len() - changepoints.last().copied().unwrap_or(0);
    let steadiness = if changepoints.is_empty() {
        Steadiness::Flat
    } else if (settled as f64) < SETTLED_SHARE * series.len() as f64 {
        Steadiness::NoSteadyState
    } else if means.iter().all(|mean| *mean >= last) {
        Steadiness::WarmUp
    } else {
        Steadiness::Slowdown
    };
    Some(SeriesLevels {
        changepoints,
        means,
        steadiness,
    })
}

/// Standard deviation of the noise around levels: a change of level is one difference of neighbours among many.
fn noise_sd(series: &[f64]) -> f64 {
    let mut differences: Vec<f64> = series.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    differences.sort_by(f64::total_cmp);
    median(&differences) * NEIGHBOURS_TO_SD
}

/// The changepoints of the best segmentation.
#[expect(clippy::cast_precision_loss, reason = "lengths of series")]
fn pelt(series: &[f64], penalty: f64) -> Vec<usize> {
    let n = series.len();
    // About a value of the series, so that squares of large values lose no digits.
    let origin = series[0];
    let mut sums = vec![(0.0, 0.0); n + 1];
    for (index, value) in series.iter().enumerate() {
        let value = value - origin;
        let (sum, squares): (f64, f64) = sums[index];
        sums[index + 1] = (sum + value, squares + value * value);
    }
    let cost = |start: usize, end: usize| {
        let (sum, squares) = (sums[end].0 - sums[start].0, sums[end].1 - sums[start].1);
        squares - sum * sum / (end - start) as f64
    };
    let mut best = vec![f64::INFINITY; n + 1];
    let mut before = vec![0; n + 1];
    best[0] = -penalty;
    let mut candidates = vec![0];
    for end in SHORTEST..=n {
        if end >= 2 * SHORTEST {
            candidates.push(end - SHORTEST);
        }
        let total = |start: usize| best[start] + cost(start, end);
        let Some((value, start)) = candidates
            .iter()
            .map(|&start| (total(start) + penalty, start))
            .min_by(|one, other| one.0.total_cmp(&other.0))
        else {
            continue;
        };
        // A candidate that is worse by more than a penalty can never be the best one later.
        let keep: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|&start| total(start) <= value)
            .collect();
        (best[end], before[end]) = (value, start);
        candidates = keep;
    }
    let mut changepoints = Vec::new();
    let mut end = before[n];
    while end > 0 {
        changepoints.push(end);
        end = before[end];
    }
    changepoints.reverse();
    changepoints
}
