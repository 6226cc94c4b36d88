//! Ratios of the spread of launches between two conditions or metrics.

use super::sorted::{mean, median};
use super::{Estimate, EstimateError, estimate, linear_contrast, quantiles};

/// Confidence of the intervals here.
const CONFIDENCE: f64 = 0.95;

/// The fewest launches of each side of a ratio of spreads.
const FEWEST: usize = 4;

/// Returns the ratio of the spreads of two samples of independent launches, with its 95 % interval. Returns `None` below four
/// launches on a side, and for a side whose launches are all, or all but one, equal.
///
/// The spread is the mean absolute deviation of the launches from their median. The logarithm of each spread is jackknifed over
/// launches (Tukey 1958, <https://doi.org/10.1214/aoms/1177706647>; for spreads Miller 1968,
/// <https://doi.org/10.1214/aoms/1177698419>). The value is exp(l₁ - l₂), where l is the mean of a side's pseudo-values. The ends
/// are exp(l₁ - l₂ ± t(0.975, ν) √(v₁/n₁ + v₂/n₂)), where v is the variance of a side's pseudo-values and ν is one less than the
/// number of launches of the smaller side. Assumes independent launches. METHODOLOGY.md has the coverage with the distributions
/// of recorded launches. Validated against NumPy and SciPy (`tests/reference`).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
pub fn spread_ratio(one: &[f64], other: &[f64]) -> Option<(f64, (f64, f64))> {
    let log = |values| estimate(&pseudo_values(values)?).ok();
    let (first, second): (Estimate, Estimate) = (log(one)?, log(other)?);
    let error = first.standard_error().hypot(second.standard_error());
    let degrees_of_freedom = one.len().min(other.len()) as f64 - 1.0;
    let half = super::student::quantile(f64::midpoint(1.0, CONFIDENCE), degrees_of_freedom) * error;
    Some(exponentials(first.value - second.value, half))
}

/// Returns n ln s - (n - 1) ln s₋ᵢ for each launch i, where s is the spread of all launches and s₋ᵢ the spread of the others.
#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
fn pseudo_values(values: &[f64]) -> Option<Vec<f64>> {
    if values.len() < FEWEST {
        return None;
    }
    let n = values.len() as f64;
    let log = |values: &[f64]| mean(&absolute_deviations(values)).ln();
    let whole = log(values);
    let mut others = values.to_vec();
    let found: Vec<f64> = (0..values.len())
        .map(|left_out| {
            let value = others.remove(left_out);
            let without = log(&others);
            others.insert(left_out, value);
            n * whole - (n - 1.0) * without
        })
        .collect();
    found.iter().all(|value| value.is_finite()).then_some(found)
}

/// Returns the ratio of the spreads of two quantities of the same launches, with its 95 % interval. The first value of both
/// samples belongs to one launch, and so on. Returns `None` for samples of different lengths, below four launches, and where a
/// quantity or the ratio does not vary.
///
/// The spread s of a quantity is the mean of |xᵢ - m|, where m is the median of its n values. The value is s₁/s₂. The ends are
/// exp(ln s₁ - ln s₂ ± t(0.975, n - 1) √(v/n)), where v is the variance over launches of |x₁ᵢ - m₁| / s₁ - |x₂ᵢ - m₂| / s₂ (the
/// variance of Bonett & Seier, <https://doi.org/10.1198/0003130031423>, for two quantities of the same launches). The interval
/// thus takes the dependence of the two quantities into account. Validated against NumPy and SciPy (`tests/reference`).
#[must_use]
pub fn paired_spread_ratio(one: &[f64], other: &[f64]) -> Option<(f64, (f64, f64))> {
    if one.len() != other.len() || one.len() < FEWEST {
        return None;
    }
    let (first, second) = (absolute_deviations(one), absolute_deviations(other));
    let (numerator, denominator) = (mean(&first), mean(&second));
    let pairs = first.iter().zip(&second);
    let differences: Vec<f64> = pairs
        .map(|(one, other)| one / numerator - other / denominator)
        .collect();
    let found = estimate(&differences).ok().filter(|found| found.launch_sd > 0.0)?;
    let half = found.confidence_interval.1 - found.value;
    Some(exponentials((numerator / denominator).ln(), half))
}

fn exponentials(log: f64, half: f64) -> (f64, (f64, f64)) {
    (log.exp(), ((log - half).exp(), (log + half).exp()))
}

/// Returns the absolute deviation of each value from the median of the values.
pub(crate) fn absolute_deviations(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = median(&sorted);
    values.iter().map(|value| (value - middle).abs()).collect()
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

/// Ratio of two estimates, with its 95 % interval by Fieller's theorem. `covariance` is the covariance of both means, zero for
/// independent estimates. `None` if the divisor cannot be distinguished from zero, because the interval would then have no end.
///
/// The ends are the r at which m₁ - r m₂ is just t(0.975, ν) of its standard error √(s₁²/n₁ + r² s₂²/n₂ - 2 r c) from zero, with
/// the covariance c and with ν of the smaller of both samples. Fieller 1954,
/// <https://doi.org/10.1111/j.2517-6161.1954.tb00159.x>; validated against SciPy (`tests/reference`).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
pub fn ratio_of_estimates(one: &Estimate, other: &Estimate, covariance: f64) -> Option<(f64, (f64, f64))> {
    let t = super::student::quantile(
        f64::midpoint(1.0, CONFIDENCE),
        one.launches.min(other.launches) as f64 - 1.0,
    );
    let part = |estimate: &Estimate| t * t * estimate.launch_sd.powi(2) / estimate.launches as f64;
    let a = other.value.powi(2) - part(other);
    let c = one.value.powi(2) - part(one);
    let b = one.value * other.value - t * t * covariance;
    // a r² - 2 b r + c = 0 has two ends around the ratio only where the divisor is told from zero.
    let root = (b * b - a * c).max(0.0).sqrt();
    let ends = ((b - root) / a, (b + root) / a);
    (a > 0.0 && ends.0.is_finite() && ends.1.is_finite()).then_some((one.value / other.value, ends))
}

/// The covariance of the means of two quantities of the same launches.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of launches")]
pub fn covariance_of_means(one: &[f64], other: &[f64]) -> f64 {
    let (first, second) = (mean(one), mean(other));
    let products = one.iter().zip(other).map(|(a, b)| (a - first) * (b - second));
    let n = one.len().min(other.len()) as f64;
    products.sum::<f64>() / (n - 1.0) / n
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
