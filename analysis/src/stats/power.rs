//! The number of launches that a precision or a power takes.
//!
//! All times of effects are in the unit of what goes in (ns in this project); costs are seconds. The minimum detectable
//! effect is the one that an [`super::Estimate`] reports, so that what a plan promises is what a report says; from ten
//! launches on, the exact power ([`power`]) of such an effect is 80 % within a hundredth.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::ln_gamma;

use super::student;

/// The default power.
pub const POWER: f64 = 0.8;
/// The largest number of launches of a plan.
const MOST_LAUNCHES: u32 = 1_000_000;

/// A number out of its range, or a goal that no number of launches reaches.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PowerError {
    /// A number out of its range.
    #[error("{what} {value}: expected {expected}")]
    Number {
        /// The name of the number.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The expected range.
        expected: &'static str,
    },
    /// Fewer than two launches have no spread.
    #[error("{0} launch(es): an interval over launches takes at least 2")]
    TooFewLaunches(u32),
    /// The goal is too precise.
    #[error(
        "a million launches with a standard deviation of {launch_sd} do not reach {wanted}; ask for less precision"
    )]
    Unreachable {
        /// The goal.
        wanted: f64,
        /// Spread from launch to launch.
        launch_sd: f64,
    },
    /// The limits exclude each other.
    #[error("rounds per launch: at least {least} and at most {most} exclude each other")]
    Bounds {
        /// Fewest rounds.
        least: u64,
        /// Most rounds.
        most: u64,
    },
}

/// The goal of an experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Half of the confidence interval is at most this wide.
    HalfWidth(f64),
    /// An effect of this size is found with this power, such as [`POWER`].
    Effect {
        /// The effect.
        size: f64,
        /// The probability to find it.
        power: f64,
    },
}

/// Half of the t interval over launches: t(1 - α/2, n - 1) s/√n.
///
/// # Errors
/// For fewer than two launches, a spread that is negative or not finite, a confidence outside of 0 to 1.
pub fn half_width(launch_sd: f64, launches: u32, confidence: f64) -> Result<f64, PowerError> {
    check(launch_sd, launches, confidence)?;
    let n = f64::from(launches);
    Ok(student::quantile(f64::midpoint(1.0, confidence), n - 1.0) * launch_sd / n.sqrt())
}

/// Minimum detectable effect of so many launches: (t(1 - α/2, n - 1) + t(power, n - 1)) s/√n (Bloom,
/// <https://doi.org/10.1177/0193841X9501900504>).
///
/// # Errors
/// As [`half_width`], and for a power outside of a half to 1.
pub fn mde(launch_sd: f64, launches: u32, confidence: f64, power: f64) -> Result<f64, PowerError> {
    check(launch_sd, launches, confidence)?;
    check_power(power)?;
    let n = f64::from(launches);
    let quantiles = student::quantile(f64::midpoint(1.0, confidence), n - 1.0) + student::quantile(power, n - 1.0);
    Ok(quantiles * launch_sd / n.sqrt())
}

/// Probability that a two-sided t test over launches at the level `1 - confidence` finds an effect: the tails of the
/// noncentral t distribution with noncentrality δ = effect √n / s,
/// P(T > c) = ∫ Φ(δ - c u) f(u) du with f the density of √(χ²/ν), by Simpson's rule. Validated against statsmodels'
/// `TTestPower` (`tests/reference`): 9 digits.
///
/// # Errors
/// As [`half_width`]; also for an effect that is not finite.
pub fn power(effect: f64, launch_sd: f64, launches: u32, confidence: f64) -> Result<f64, PowerError> {
    check(launch_sd, launches, confidence)?;
    number("effect", effect, effect.is_finite(), "a finite number")?;
    if launch_sd == 0.0 {
        return Ok(if effect == 0.0 { 1.0 - confidence } else { 1.0 });
    }
    let n = f64::from(launches);
    let freedom = n - 1.0;
    let noncentrality = effect.abs() * n.sqrt() / launch_sd;
    let critical = student::quantile(f64::midpoint(1.0, confidence), freedom);
    // From here on the integrand is below 1e-22.
    let end = (noncentrality + 10.0) / critical;
    Ok(over_scales(freedom, end, |scale| {
        let normal = Normal::standard();
        normal.cdf(noncentrality - critical * scale) + normal.cdf(-noncentrality - critical * scale)
    }))
}

/// ∫ g(u) f(u) du, f being the density of √(χ²/ν), as far as `end`.
fn over_scales(freedom: f64, end: f64, mut g: impl FnMut(f64) -> f64) -> f64 {
    const STEPS: u32 = 10_000;
    // ln of the constant of f; √(χ²/ν) has mean nearly 1 and standard deviation nearly 1/√(2ν).
    let constant = 2.0_f64.ln() + freedom / 2.0 * (freedom / 2.0).ln() - ln_gamma(freedom / 2.0);
    let reach = 12.0 / (2.0 * freedom).sqrt();
    let (low, high) = ((1.0 - reach).max(0.0), (1.0 + reach).min(end));
    if high <= low {
        return 0.0;
    }
    let width = (high - low) / f64::from(STEPS);
    let mut sum = 0.0;
    for step in 0..=STEPS {
        let scale = low + f64::from(step) * width;
        let density = if scale > 0.0 {
            (constant + (freedom - 1.0) * scale.ln() - freedom * scale * scale / 2.0).exp()
        } else if freedom > 1.0 {
            0.0
        } else {
            constant.exp()
        };
        let weight = match step {
            0 | STEPS => 1.0,
            odd if odd % 2 == 1 => 4.0,
            _ => 2.0,
        };
        sum += weight * density * g(scale);
    }
    (sum * width / 3.0).clamp(0.0, 1.0)
}

/// Fewest launches that reach the goal, if launches differ by `launch_sd`; at least 2.
///
/// # Errors
/// For numbers out of range, and where a million launches would not do.
pub fn launches_for(goal: Goal, launch_sd: f64, confidence: f64) -> Result<u32, PowerError> {
    let wanted = goal.size();
    number("goal", wanted, wanted > 0.0 && wanted.is_finite(), "a positive number")?;
    let reached = |launches| Ok::<bool, PowerError>(goal.of(launch_sd, launches, confidence)? <= wanted);
    if !reached(MOST_LAUNCHES)? {
        return Err(PowerError::Unreachable { wanted, launch_sd });
    }
    // Both quantities fall with each launch more.
    let (mut too_few, mut enough) = (1, MOST_LAUNCHES);
    while enough - too_few > 1 {
        let middle = u32::midpoint(too_few, enough);
        if reached(middle)? {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Ok(enough)
}

impl Goal {
    fn size(self) -> f64 {
        match self {
            Self::HalfWidth(size) | Self::Effect { size, .. } => size,
        }
    }

    /// The half-width or the MDE of a number of launches.
    fn of(self, launch_sd: f64, launches: u32, confidence: f64) -> Result<f64, PowerError> {
        match self {
            Self::HalfWidth(_) => half_width(launch_sd, launches, confidence),
            Self::Effect { power, .. } => mde(launch_sd, launches, confidence, power),
        }
    }
}

fn check(launch_sd: f64, launches: u32, confidence: f64) -> Result<(), PowerError> {
    number(
        "standard deviation",
        launch_sd,
        launch_sd >= 0.0 && launch_sd.is_finite(),
        "a finite number, not below zero",
    )?;
    number(
        "confidence",
        confidence,
        confidence > 0.0 && confidence < 1.0,
        "a number between 0 and 1, such as 0.95",
    )?;
    if launches < 2 {
        return Err(PowerError::TooFewLaunches(launches));
    }
    Ok(())
}

fn check_power(power: f64) -> Result<(), PowerError> {
    number(
        "power",
        power,
        (0.5..1.0).contains(&power),
        "a number from 0.5 to below 1, such as 0.8",
    )
}

pub(super) fn number(what: &'static str, value: f64, good: bool, expected: &'static str) -> Result<(), PowerError> {
    if good {
        Ok(())
    } else {
        Err(PowerError::Number { what, value, expected })
    }
}
