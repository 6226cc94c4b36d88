//! Statistics of short lists of numbers that are known to be finite.

/// Arithmetic mean; not a number for an empty list.
#[expect(clippy::cast_precision_loss, reason = "lengths of lists")]
pub(crate) fn mean(values: &[f64]) -> f64 {
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
