//! Ratios of two arms, or of two metrics of the same launches.

use super::{
    EffectError, Estimate, LatencyMetric, LaunchSamples, covariance_of_means, effect::per_launch, estimate,
    ratio_of_estimates,
};

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
pub fn ratio_of_paired_means(numerators: &[f64], denominators: &[f64]) -> Option<(f64, (f64, f64))> {
    if numerators.len() != denominators.len() {
        return None;
    }
    let (one, other) = (estimate(numerators).ok()?, estimate(denominators).ok()?);
    ratio_of_estimates(&one, &other, covariance_of_means(numerators, denominators))
}
