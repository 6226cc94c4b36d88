//! Linear combinations of independent estimates.

use super::{Estimate, EstimateError, student};

/// Confidence of the intervals here.
const CONFIDENCE: f64 = 0.95;

/// The sum of independent estimates, each times its coefficient, with its 95 % interval.
///
/// Σ cᵢ mᵢ ± t(0.975, ν) √(Σ cᵢ² sᵢ²/nᵢ), ν by Satterthwaite (<https://doi.org/10.2307/3002019>). With the coefficients 1 and
/// -1 it is Welch's interval. Validated against SciPy (`tests/reference`).
///
/// # Errors
/// When the result is not finite.
#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
pub fn linear_contrast(parts: &[(f64, &Estimate)]) -> Result<(f64, (f64, f64)), EstimateError> {
    let value: f64 = parts.iter().map(|(times, part)| times * part.value).sum();
    let variance = |(times, part): &(f64, &Estimate)| (times * part.launch_sd).powi(2) / part.launches as f64;
    let sum: f64 = parts.iter().map(variance).sum();
    let half = if sum > 0.0 {
        let squares = parts
            .iter()
            .map(|part| variance(part).powi(2) / (part.1.launches as f64 - 1.0));
        let degrees_of_freedom = sum * sum / squares.sum::<f64>();
        student::quantile(f64::midpoint(1.0, CONFIDENCE), degrees_of_freedom) * sum.sqrt()
    } else {
        0.0
    };
    if (value - half).is_finite() && (value + half).is_finite() {
        Ok((value, (value - half, value + half)))
    } else {
        Err(EstimateError::Overflow)
    }
}

/// The coefficients by which values at these places give the slope of their least-squares line: Σ cᵢ yᵢ with
/// cᵢ = (xᵢ - x̄) / Σ (x - x̄)². `None` where all places are the same.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of cells")]
pub fn slope_coefficients(places: &[f64]) -> Option<Vec<f64>> {
    let mean = places.iter().sum::<f64>() / places.len() as f64;
    let squares: f64 = places.iter().map(|place| (place - mean).powi(2)).sum();
    (squares > 0.0).then(|| places.iter().map(|place| (place - mean) / squares).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::estimate;

    #[test]
    fn the_mean_of_alike_estimates_has_the_sum_of_their_degrees_of_freedom() {
        let values: Vec<f64> = (0..10).map(f64::from).collect();
        let one = estimate(&values).unwrap();
        let third = 1.0 / 3.0;
        let (value, (low, high)) = linear_contrast(&[(third, &one), (third, &one), (third, &one)]).unwrap();
        // SciPy: t.ppf(0.975, 27) = 2.0518305164802833.
        let half = 2.051_830_516_480_283_3 * one.launch_sd / 30.0_f64.sqrt();
        assert!((value - 4.5).abs() < 1e-12, "{value}");
        assert!(
            (high - value - half).abs() < 1e-9 && (value - low - half).abs() < 1e-9,
            "{low} {high}"
        );
    }

    #[test]
    fn the_slope_of_a_line_is_found_and_equal_places_have_none() {
        let places = [0.0, 1.0, 4.0];
        let coefficients = slope_coefficients(&places).unwrap();
        let slope: f64 = coefficients
            .iter()
            .zip(places)
            .map(|(times, place)| times * (7.0 + 100.0 * place))
            .sum();
        assert!((slope - 100.0).abs() < 1e-9, "{slope}");
        assert_eq!(slope_coefficients(&[2.0, 2.0]), None);
    }
}
