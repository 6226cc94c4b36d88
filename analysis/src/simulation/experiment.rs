//! One simulated experiment, reduced to the input of the estimators.

use crate::stats::sorted::{mean, quantile};
use crate::{LaunchEffect, SHIFT_AT};

use super::noise::SimulatedLaunch;

/// Number, mean and sum of squared deviations of one arm's requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Sum {
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    fn of(values: &[f64]) -> Self {
        let mean = mean(values);
        Self {
            n: values.len() as f64,
            mean,
            squares: values.iter().map(|value| (value - mean).powi(2)).sum(),
        }
    }

    /// Both together (Chan, Golub & LeVeque).
    fn and(self, other: Self) -> Self {
        let n = self.n + other.n;
        let apart = other.mean - self.mean;
        Self {
            n,
            mean: self.mean + apart * other.n / n,
            squares: self.squares + other.squares + apart * apart * self.n * other.n / n,
        }
    }
}

/// Differences in one launch, ns.
#[derive(Clone, Debug)]
pub(super) struct Differences {
    /// Differences of medians, of launches and of segments.
    pub(super) median: LaunchEffect,
    pub(super) mean: f64,
    pub(super) trimmed_mean: f64,
    /// Differences of the quantiles of [`SHIFT_AT`]; the last is p99.
    pub(super) quantiles: Vec<f64>,
    /// The requests of both arms.
    pub(super) sums: (Sum, Sum),
}

impl Differences {
    pub(super) fn of(launch: &SimulatedLaunch, segment_rounds: usize) -> Self {
        let segments = launch
            .baseline
            .chunks_exact(segment_rounds)
            .zip(launch.arm.chunks_exact(segment_rounds))
            .map(|(one, other)| median(other) - median(one))
            .collect();
        let (one, other) = (sorted(&launch.baseline), sorted(&launch.arm));
        let at = |p| quantile(&other, p) - quantile(&one, p);
        Self {
            median: LaunchEffect {
                value: at(0.5),
                segments,
            },
            mean: mean(&other) - mean(&one),
            trimmed_mean: trimmed(&other) - trimmed(&one),
            quantiles: SHIFT_AT.iter().map(|&p| at(p)).collect(),
            sums: (Sum::of(&launch.baseline), Sum::of(&launch.arm)),
        }
    }
}

/// The difference of medians alone.
pub(super) fn median_difference(launch: &SimulatedLaunch) -> f64 {
    median(&launch.arm) - median(&launch.baseline)
}

/// The study's interval: Student's t over requests, as independent.
pub(super) fn over_requests(launches: &[Differences]) -> (f64, f64) {
    let both = launches.iter().map(|launch| launch.sums);
    let (one, other) = both
        .reduce(|all, next| (all.0.and(next.0), all.1.and(next.1)))
        .unwrap_or_default();
    let freedom = one.n + other.n - 2.0;
    let error = ((one.squares + other.squares) / freedom * (1.0 / one.n + 1.0 / other.n)).sqrt();
    let half = crate::stats::student::quantile(0.975, freedom) * error;
    let difference = other.mean - one.mean;
    (difference - half, difference + half)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    let even = values.len().is_multiple_of(2);
    let middle = values.len() / 2;
    let (lower, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if even {
        let below = lower.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        f64::midpoint(below, *upper)
    } else {
        *upper
    }
}

fn trimmed(sorted: &[f64]) -> f64 {
    let cut = sorted.len() / 10;
    mean(&sorted[cut..sorted.len() - cut])
}
