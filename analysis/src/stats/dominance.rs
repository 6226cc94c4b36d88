//! The probability that a request of one arm takes longer than a request of another.

use super::{Distribution, EffectError, Estimate, LatencyMetric, LaunchSamples, effect::per_launch, estimate};

/// P(arm > baseline) + P(arm = baseline)/2 over all pairs of their observations: 0.5 where neither takes longer. Vargha &
/// Delaney, <https://doi.org/10.3102/10769986025002101>; the Mann-Whitney U statistic divided by the number of pairs, exact,
/// by one pass over both distributions. Validated against SciPy's `mannwhitneyu`
/// (`tests/reference`). `None` when one is empty.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share has the precision of f64")]
pub fn a12(baseline: &Distribution, arm: &Distribution) -> Option<f64> {
    if baseline.is_empty() || arm.is_empty() {
        return None;
    }
    let mut lower = baseline.iter().peekable();
    let mut below = 0_u128;
    // In halves, so that ties stay whole.
    let mut halves = 0_u128;
    for (value_ns, times) in arm.iter() {
        while let Some((_, count)) = lower.next_if(|(other_ns, _)| *other_ns < value_ns) {
            below += u128::from(count);
        }
        let tied = lower
            .peek()
            .filter(|(other_ns, _)| *other_ns == value_ns)
            .map_or(0, |(_, count)| u128::from(*count));
        halves += u128::from(times) * (2 * below + tied);
    }
    let pairs = u128::from(baseline.len()) * u128::from(arm.len());
    Some(halves as f64 / 2.0 / pairs as f64)
}

/// The mean over launches of [`a12`] within the launch, with the t interval of [`estimate`], cut at 0 and 1.
///
/// # Errors
/// The errors of [`super::effect`].
pub fn dominance(
    launches: &[LaunchSamples],
    baseline: &str,
    arm: &str,
    metric: LatencyMetric,
) -> Result<Estimate, EffectError> {
    let shares = per_launch(launches, baseline, arm, metric, a12)?;
    let mut found = estimate(&shares)?;
    let (low, high) = found.confidence_interval;
    found.confidence_interval = (low.max(0.0), high.min(1.0));
    Ok(found)
}
