//! Statistics of short lists of numbers that are known to be finite.

/// Arithmetic mean; not a number for an empty list.
#[expect(clippy::cast_precision_loss, reason = "lengths of lists")]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Sample quantile of an ascending list that is not empty, type 7 of Hyndman & Fan.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length lies between 0 and the length"
)]
pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * p;
    let below = (position.floor() as usize).min(sorted.len() - 1);
    let low = sorted[below];
    let share = position - below as f64;
    match sorted.get(below + 1) {
        // An infinite neighbour without weight is no infinity.
        Some(high) if share > 0.0 => low + (high - low) * share,
        _ => low,
    }
}

/// Median of an ascending list that is not empty.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

/// The smallest and the largest value; infinity and minus infinity without a value.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let wider = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    values.into_iter().fold(none, wider)
}
