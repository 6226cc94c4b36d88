//! The number of launches that a precision or a power takes.
//!
//! Times of effects are in the unit of the input, which is ns in this project; costs are in seconds. The minimum detectable
//! effect is the one that an [`super::Estimate`] reports, so that a plan and a report agree. From ten launches on, the exact power of
//! the test to find such an effect is 80 % within a hundredth.

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
/// The errors of [`half_width`], and an error for a power outside of 0.5 to 1.
pub fn mde(launch_sd: f64, launches: u32, confidence: f64, power: f64) -> Result<f64, PowerError> {
    check(launch_sd, launches, confidence)?;
    number(
        "power",
        power,
        (0.5..1.0).contains(&power),
        "a number from 0.5 to below 1, such as 0.8",
    )?;
    let n = f64::from(launches);
    let quantiles = student::quantile(f64::midpoint(1.0, confidence), n - 1.0) + student::quantile(power, n - 1.0);
    Ok(quantiles * launch_sd / n.sqrt())
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

pub(super) fn number(what: &'static str, value: f64, good: bool, expected: &'static str) -> Result<(), PowerError> {
    if good {
        Ok(())
    } else {
        Err(PowerError::Number { what, value, expected })
    }
}
