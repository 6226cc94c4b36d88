//! The systematic part of intervals: the error that no number of launches removes, bounded by the controls of a cell.
//!
//! Both controls of a cell have a known true value. The 90 % interval of a control's error bounds the error's absolute value
//! from above with a confidence of 95 %. The bound B of a cell is the largest of these bounds over its controls. B contains the
//! statistical uncertainty of the control, so that a cell whose controls are imprecise has wide total intervals.
//!
//! The total interval of an effect is its statistical interval with each side wider by B. A difference of two cells is wider by
//! the sum of both bounds. The total interval of a ratio is the union of the ratio's intervals over all shifts of numerator and
//! divisor by at most their bounds.

use super::interval::{Interval, IntervalTail};
use crate::Estimate;

/// The confidence of the two-sided interval of a control's error. Each of its ends is a one-sided bound at 95 %.
const CONFIDENCE: f64 = 0.90;

/// The bound on the absolute error that one control shows, in the unit of `error`: the larger absolute end of the 90 % interval
/// of recovered minus true.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of launches")]
pub fn bound(error: &Estimate) -> f64 {
    let tail = IntervalTail::linear(error.launches as f64 - 1.0);
    let Interval { low, high, .. } = tail.at(&error.into(), CONFIDENCE);
    low.abs().max(high.abs())
}

/// An interval with each side wider by `bound`, which has the unit of the interval.
#[must_use]
pub fn widened(interval: &Interval, bound: f64) -> Interval {
    Interval::new(interval.value, (interval.low - bound, interval.high + bound))
}

/// The total interval of a ratio: the smallest interval with all intervals that `ratio` gives if the numerator is shifted by at
/// most `bounds[0]` and the divisor by at most `bounds[1]`. `ratio` takes both shifts. A ratio with a divisor above zero is
/// monotone in both shifts, so that the extreme shifts decide. `None` if a shifted ratio has no interval, because its divisor
/// cannot be distinguished from zero.
#[must_use]
pub fn ratio(bounds: [f64; 2], ratio: impl Fn(f64, f64) -> Option<(f64, (f64, f64))>) -> Option<Interval> {
    let (value, (mut low, mut high)) = ratio(0.0, 0.0)?;
    for signs in [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]] {
        let (_, ends) = ratio(signs[0] * bounds[0], signs[1] * bounds[1])?;
        low = low.min(ends.0);
        high = high.max(ends.1);
    }
    Some(Interval::new(value, (low, high)))
}
