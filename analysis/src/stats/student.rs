//! Student's t distribution, with tails far below what f64 can hold.

use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};
use statrs::function::gamma::ln_gamma;
use std::f64::consts::{LN_2, PI};

/// Quantile: the `t` below which a share `p` lies, by Newton's method from the library's. Validated against SciPy
/// (`tests/reference`): 10 digits.
///
/// # Panics
/// Unless 0 <= p <= 1 and degrees of freedom are positive.
#[must_use]
pub fn quantile(p: f64, degrees_of_freedom: f64) -> f64 {
    let distribution = StudentsT::new(0.0, 1.0, degrees_of_freedom).expect("degrees of freedom are positive");
    let mut t = distribution.inverse_cdf(p);
    for _ in 0..2 {
        let step = (upper_tail(t, degrees_of_freedom) - (1.0 - p)) / distribution.pdf(t);
        if step.is_finite() {
            t += step;
        }
    }
    t
}

/// P(T >= t).
pub(crate) fn upper_tail(t: f64, degrees_of_freedom: f64) -> f64 {
    let one_sided = (ln_two_sided_p(t, degrees_of_freedom) - LN_2).exp();
    if t >= 0.0 { one_sided } else { 1.0 - one_sided }
}

/// Natural logarithm of the two-sided p value of a t statistic, P(|T| >= |t|).
///
/// p is the regularised incomplete beta function I(ν/(ν + t²); ν/2, 1/2), by Lentz's continued fraction
/// (<https://dlmf.nist.gov/8.17.E22>) with its prefix in logarithms, so that nothing underflows however large `t` is. The
/// arguments must be finite and `degrees_of_freedom` at least 1. Validated against SciPy and, below 1e-300, mpmath
/// (`tests/reference`): 10 digits of p.
#[must_use]
pub fn ln_two_sided_p(t: f64, degrees_of_freedom: f64) -> f64 {
    if t == 0.0 {
        return 0.0;
    }
    let (a, b) = (degrees_of_freedom / 2.0, 0.5);
    let ratio = t * t / degrees_of_freedom;
    // x = 1/(1 + ratio); both logarithms without cancellation.
    let ln_x = -ratio.ln_1p();
    let ln_rest = ratio.ln() - ratio.ln_1p();
    let prefix = a * ln_x + b * ln_rest - ln_beta_half(a);
    let (x, rest) = (ln_x.exp(), ln_rest.exp());
    // The fraction converges fast below the mode and its mirror image above it.
    if x < (a + 1.0) / (a + b + 2.0) {
        prefix - a.ln() + continued_fraction(x, a, b).ln()
    } else {
        (-(prefix - b.ln()).exp() * continued_fraction(rest, b, a)).ln_1p()
    }
}

/// ln B(a, 1/2). For large `a` by the asymptotic series of Γ(a + 1/2)/Γ(a), since the difference of two large logarithms
/// of Γ would cost digits (<https://dlmf.nist.gov/5.11.E13>).
fn ln_beta_half(a: f64) -> f64 {
    if a < 30.0 {
        return ln_gamma(a) + PI.ln() / 2.0 - ln_gamma(a + 0.5);
    }
    let r = 1.0 / a;
    let ln_ratio = a.ln() / 2.0 - r / 8.0 + r.powi(3) / 192.0 - r.powi(5) / 640.0 + 17.0 * r.powi(7) / 14_336.0;
    PI.ln() / 2.0 - ln_ratio
}

/// The continued fraction of the incomplete beta function by the modified Lentz method.
fn continued_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const LIMIT: u32 = 100_000;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..LIMIT {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}
