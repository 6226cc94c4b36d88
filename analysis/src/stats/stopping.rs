//! When an experiment may stop early.

use super::estimate;

/// Fewer launches than this are not trusted to say how much launches differ.
pub const FEWEST_TO_STOP: usize = 10;

/// Half of the 95 % interval of the mean over launches; `None` while it cannot be told.
#[must_use]
pub fn half_width_reached(differences: &[f64]) -> Option<f64> {
    let (low, high) = estimate(differences).ok()?.confidence_interval;
    Some((high - low) / 2.0)
}

/// Whether launches may end here: there are ten or more, and half of the 95 % interval is at most `wanted`. What decides is how
/// wide the interval is, never where it lies. What the rule does to the interval's coverage is in the simulation study.
#[must_use]
pub fn may_stop(differences: &[f64], wanted: f64) -> bool {
    differences.len() >= FEWEST_TO_STOP && half_width_reached(differences).is_some_and(|half| half <= wanted)
}
