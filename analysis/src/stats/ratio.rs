//! How many times as long one arm takes.

use super::{EffectError, Estimate, LaunchSamples, Quantity, effect::per_launch, estimate};

/// The ratio of means, arm to baseline: the geometric mean over launches of the ratio within a launch, with the t interval of
/// the ratios' logarithms over launches (Fleming & Wallace, <https://doi.org/10.1145/5666.5673>, on why geometric).
/// `launch_sd` and `mde` of the estimate are of the logarithms, which for small effects are shares. Validated against SciPy
/// (`tests/reference`).
///
/// # Errors
/// As [`super::effect`]; also for a mean that is not above zero.
pub fn ratio_of_means(
    launches: &[LaunchSamples],
    baseline: &str,
    arm: &str,
    quantity: Quantity,
) -> Result<Estimate, EffectError> {
    // The logarithm of a ratio that is not above zero is not finite, which the estimate refuses by name.
    let logarithms = per_launch(launches, baseline, arm, quantity, |baseline, arm| {
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
