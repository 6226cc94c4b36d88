//! The rule by which an experiment may stop early.

use super::estimate;

/// The smallest number of launches from which their spread is estimated.
pub const FEWEST_TO_STOP: usize = 10;

/// Half of the 95 % interval of the mean over launches; `None` with too few launches.
#[must_use]
pub fn half_width_reached(differences: &[f64]) -> Option<f64> {
    let (low, high) = estimate(differences).ok()?.confidence_interval;
    Some((high - low) / 2.0)
}

/// Returns true if the run may end: it has at least ten launches, and half of the 95 % interval is at most `wanted`.
/// The position of the interval has no influence. The simulation study gives the coverage under this rule.
#[must_use]
pub fn may_stop(differences: &[f64], wanted: f64) -> bool {
    differences.len() >= FEWEST_TO_STOP && half_width_reached(differences).is_some_and(|half| half <= wanted)
}
