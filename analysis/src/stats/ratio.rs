//! Ratios of two arms, or of two metrics of the same launches.

use super::{EffectError, Estimate, LatencyMetric, LaunchSamples, effect::per_launch, estimate, student};

/// Confidence of the intervals here.
const CONFIDENCE: f64 = 0.95;

/// The ratio of means, arm to baseline: the geometric mean over launches of the ratio within a launch, with the t interval of
/// the ratios' logarithms over launches (Fleming & Wallace, <https://doi.org/10.1145/5666.5673>, on why geometric).
/// `launch_sd` and `mde` of the estimate are of the logarithms, which for small effects are shares. Validated against SciPy
/// (`tests/reference`).
///
/// # Errors
/// The errors of [`super::effect`], and an error for a mean that is not above zero.
pub fn ratio_of_means(
    launches: &[LaunchSamples],
    baseline: &str,
    arm: &str,
    metric: LatencyMetric,
) -> Result<Estimate, EffectError> {
    // The logarithm of a ratio that is not above zero is not finite, which the estimate refuses by name.
    let logarithms = per_launch(launches, baseline, arm, metric, |baseline, arm| {
        let (one, other) = (baseline.mean()?, arm.mean()?);
        Some(if one > 0.0 && other > 0.0 {
            (other / one).ln()
        } else {
            f64::NAN
        })
    })?;
    let mut found = estimate(&logarithms)?;
    let (low, high) = found.confidence_interval;
    found.value = found.value.exp();
    found.confidence_interval = (low.exp(), high.exp());
    Ok(found)
}

/// Ratio of the means of two quantities of the same launches, with its 95 % interval. `None` if the 95 % interval of
/// the denominator contains zero, because every ratio is then possible, and for fewer than two launches.
///
/// Fieller's theorem for paired values (<https://doi.org/10.1111/j.2517-6161.1954.tb00159.x>): the ratios ρ for which the t
/// interval of `numerator - ρ denominator` over launches holds zero. Unlike the logarithms of the launches' ratios it takes
/// launches in which noise makes one of both negative. Assumes independent launches and normal values. Validated against that
/// definition (`tests/spread.rs`).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of launches")]
pub fn ratio_of_paired_means(numerators: &[f64], denominators: &[f64]) -> Option<(f64, (f64, f64))> {
    let (y, x) = (estimate(numerators).ok()?, estimate(denominators).ok()?);
    if numerators.len() != denominators.len() {
        return None;
    }
    let n = numerators.len() as f64;
    let products = numerators
        .iter()
        .zip(denominators)
        .map(|(a, b)| (a - y.value) * (b - x.value));
    let covariance = products.sum::<f64>() / (n - 1.0);
    let t_squared = student::quantile(f64::midpoint(1.0, CONFIDENCE), n - 1.0).powi(2) / n;
    // a ρ² - 2 b ρ + c ≤ 0 is the condition above.
    let a = x.value.powi(2) - t_squared * x.launch_sd.powi(2);
    let b = x.value * y.value - t_squared * covariance;
    let c = y.value.powi(2) - t_squared * y.launch_sd.powi(2);
    if a <= 0.0 {
        return None;
    }
    let root = (b * b - a * c).max(0.0).sqrt();
    let ends = ((b - root) / a, (b + root) / a);
    (ends.0.is_finite() && ends.1.is_finite()).then_some((y.value / x.value, ends))
}
