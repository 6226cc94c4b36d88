//! Quantiles of the chi-squared and the F distribution, to ten digits, and the former's upper tail.

use statrs::distribution::{Beta, ChiSquared, Continuous, ContinuousCDF};

/// Newton steps that take a library's quantile to all digits of its distribution function.
const STEPS: usize = 20;

/// The value of a chi-squared variable below which a share `p` lies. Validated against SciPy (`tests/reference`).
///
/// # Panics
/// Unless 0 < p < 1 and degrees of freedom are positive.
pub(crate) fn chi_squared(p: f64, degrees_of_freedom: f64) -> f64 {
    let distribution = ChiSquared::new(degrees_of_freedom).expect("degrees of freedom are positive");
    polished(&distribution, distribution.inverse_cdf(p), p, f64::INFINITY)
}

/// The probability that a chi-squared variable exceeds a value.
///
/// # Panics
/// Unless degrees of freedom are positive.
pub(crate) fn chi_squared_above(value: f64, degrees_of_freedom: f64) -> f64 {
    let distribution = ChiSquared::new(degrees_of_freedom).expect("degrees of freedom are positive");
    distribution.sf(value)
}

/// The value of an F variable below which a share `p` lies: by the beta distribution, whose quantile is exact, and from its
/// nearer end. Validated against SciPy (`tests/reference`).
///
/// # Panics
/// Unless 0 < p < 1 and degrees of freedom are positive.
pub(crate) fn f(p: f64, numerator: f64, denominator: f64) -> f64 {
    let share = |p: f64, a: f64, b: f64| {
        let beta = Beta::new(a / 2.0, b / 2.0).expect("degrees of freedom are positive");
        polished(&beta, beta.inverse_cdf(p), p, 1.0)
    };
    let below = share(p, numerator, denominator);
    let ratio = if below < 0.5 {
        below / (1.0 - below)
    } else {
        let above = share(1.0 - p, denominator, numerator);
        (1.0 - above) / above
    };
    ratio * denominator / numerator
}

fn polished<D>(distribution: &D, start: f64, p: f64, most: f64) -> f64
where
    D: ContinuousCDF<f64, f64> + Continuous<f64, f64>,
{
    let mut value = start;
    for _ in 0..STEPS {
        let density = distribution.pdf(value);
        let step = (distribution.cdf(value) - p) / density;
        let next = value - step;
        if !next.is_finite() || next <= 0.0 || next >= most {
            break;
        }
        let done = step.abs() <= 1e-15 * value;
        value = next;
        if done {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn quantiles_agree_with_scipy() {
        let reference: Value = serde_json::from_str(include_str!("../../tests/reference/components.json")).unwrap();
        let rows = |name: &str| reference[name].as_array().unwrap().clone();
        let close = |row: &Value, found: f64| {
            let expected = row["value"].as_f64().unwrap();
            assert!((found - expected).abs() <= 1e-9 * expected, "{row}: {found}");
        };
        for row in rows("chi_squared") {
            let number = |key: &str| row[key].as_f64().unwrap();
            close(&row, super::chi_squared(number("p"), number("df")));
        }
        for row in rows("f") {
            let number = |key: &str| row[key].as_f64().unwrap();
            close(&row, super::f(number("p"), number("numerator"), number("denominator")));
        }
    }
}
