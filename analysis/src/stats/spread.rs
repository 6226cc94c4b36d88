//! Ratios of the spread of launches between two conditions or metrics.

use super::{Estimate, EstimateError, estimate, linear_contrast, quantiles};

/// Confidence of the intervals here.
const CONFIDENCE: f64 = 0.95;

/// Ratio of the launch-to-launch standard deviations of two independent estimates, with its 95 % interval; `None` where one
/// of them does not vary.
///
/// s₁/s₂, with the ends √(s₁²/s₂² / F(0.975; n₁-1, n₂-1)) and √(s₁²/s₂² / F(0.025; n₁-1, n₂-1)). Assumes independent launches
/// and normal values. Snedecor & Cochran, *Statistical Methods*, §6.12; validated against SciPy's `f` (`tests/reference`).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
pub fn spread_ratio(one: &Estimate, other: &Estimate) -> Option<(f64, (f64, f64))> {
    let ratio = one.launch_sd / other.launch_sd;
    if !(ratio.is_finite() && ratio > 0.0) {
        return None;
    }
    let end = |p| ratio / quantiles::f(p, one.launches as f64 - 1.0, other.launches as f64 - 1.0).sqrt();
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some((ratio, (end(1.0 - tail), end(tail))))
}

/// Ratio of the launch-to-launch standard deviations of two quantities of the same launches, with its 95 % interval; `None`
/// where one does not vary or there are fewer than four launches.
///
/// The two depend on each other, so that F does not apply: the logarithm of the ratio is jackknifed over launches, with a t
/// interval of its pseudo-values (Tukey 1958, <https://doi.org/10.1214/aoms/1177706647>; for variances Miller 1968,
/// <https://doi.org/10.1214/aoms/1177698419>). Validated against NumPy (`tests/reference`).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
pub fn paired_spread_ratio(one: &[f64], other: &[f64]) -> Option<(f64, (f64, f64))> {
    let n = one.len();
    if n != other.len() || n < 4 {
        return None;
    }
    let without = |values: &[f64], left_out: Option<usize>| -> Vec<f64> {
        let kept = values.iter().enumerate().filter(|(index, _)| Some(*index) != left_out);
        kept.map(|(_, value)| *value).collect()
    };
    let log_ratio = |left_out: Option<usize>| -> Option<f64> {
        let sd = |values: &[f64]| estimate(&without(values, left_out)).ok().map(|found| found.launch_sd);
        let log = (sd(one)? / sd(other)?).ln();
        log.is_finite().then_some(log)
    };
    let all = log_ratio(None)?;
    let pseudo_values: Option<Vec<f64>> = (0..n)
        .map(|left_out| Some(n as f64 * all - (n as f64 - 1.0) * log_ratio(Some(left_out))?))
        .collect();
    let found = estimate(&pseudo_values?).ok()?;
    let (low, high) = found.confidence_interval;
    Some((all.exp(), (low.exp(), high.exp())))
}

/// Difference of two independent estimates, with Welch's 95 % interval.
///
/// m₁ - m₂ ± t(0.975, ν) √(s₁²/n₁ + s₂²/n₂), ν by Satterthwaite. Welch, <https://doi.org/10.1093/biomet/34.1-2.28>; validated
/// against SciPy's `ttest_ind` (`tests/reference`).
///
/// # Errors
/// When the result is not finite.
pub fn difference_of_estimates(one: &Estimate, other: &Estimate) -> Result<(f64, (f64, f64)), EstimateError> {
    linear_contrast(&[(1.0, one), (-1.0, other)])
}

/// Ratio of two independent estimates, with its 95 % interval by Fieller's theorem. `None` if the divisor cannot be
/// distinguished from zero, because the interval would then have no end.
///
/// The ends are the r at which m₁ - r m₂ is just t(0.975, ν) of its standard errors √(s₁²/n₁ + r² s₂²/n₂) from zero, with ν
/// of the smaller of both samples, so that the interval is never too narrow. Fieller 1954,
/// <https://doi.org/10.1111/j.2517-6161.1954.tb00159.x>; validated against SciPy (`tests/reference`).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
pub fn ratio_of_estimates(one: &Estimate, other: &Estimate) -> Option<(f64, (f64, f64))> {
    let t = super::student::quantile(
        f64::midpoint(1.0, CONFIDENCE),
        one.launches.min(other.launches) as f64 - 1.0,
    );
    let part = |estimate: &Estimate| t * t * estimate.launch_sd.powi(2) / estimate.launches as f64;
    let a = other.value.powi(2) - part(other);
    let c = one.value.powi(2) - part(one);
    let b = one.value * other.value;
    // a r² - 2 b r + c = 0 has two ends around the ratio only where the divisor is told from zero.
    let root = (b * b - a * c).sqrt();
    let ends = ((b - root) / a, (b + root) / a);
    (a > 0.0 && ends.0.is_finite() && ends.1.is_finite()).then_some((one.value / other.value, ends))
}

/// A 95 % interval for something inversely proportional to a variance that was estimated from `n` independent normal
/// values: `value` times the quantiles 0.025 and 0.975 of χ²(n - 1) by n - 1. Validated against SciPy's `chi2`
/// (`tests/reference`). `None` below two values.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of batches")]
pub fn inverse_variance_interval(value: f64, n: usize) -> Option<(f64, f64)> {
    let degrees_of_freedom = n.checked_sub(1).filter(|degrees| *degrees > 0)? as f64;
    let end = |p| value * quantiles::chi_squared(p, degrees_of_freedom) / degrees_of_freedom;
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some((end(tail), end(1.0 - tail)))
}
