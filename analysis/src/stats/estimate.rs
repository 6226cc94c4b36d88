//! A mean over launches with its interval.

use serde::{Deserialize, Serialize};

use super::power::{POWER, half_width, mde};
use super::student;

/// The default confidence of an interval.
const CONFIDENCE: f64 = 0.95;

/// A mean over launches. In the unit of the values that went in: ns for effects.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Student's t interval over launches.
    pub confidence_interval: (f64, f64),
    /// The confidence of the interval; 0.95 by [`estimate`].
    pub confidence: f64,
    /// Number of launches.
    pub launches: usize,
    /// Standard deviation from launch to launch.
    pub launch_sd: f64,
    /// Minimum detectable effect: the effect that this number of launches with this spread finds with 80 % power at the two-sided
    /// level of `1 - confidence`.
    pub mde: f64,
}

impl Estimate {
    /// Standard error of the mean over launches.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of launches")]
    pub fn standard_error(&self) -> f64 {
        self.launch_sd / (self.launches as f64).sqrt()
    }

    /// Two-sided p value of the t test over launches that there is no effect. Without any spread it is 1 for no effect and 0
    /// for any.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of launches")]
    pub fn p_value(&self) -> f64 {
        let t = self.value / self.standard_error();
        if self.value == 0.0 {
            1.0
        } else if t.is_finite() {
            student::ln_two_sided_p(t, self.launches as f64 - 1.0).exp()
        } else {
            0.0
        }
    }
}

/// The reason why an estimate or an interval cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum EstimateError {
    /// Fewer launches than the interval takes.
    #[error("{found} launch(es), but this interval over launches takes at least {least}; measure more launches")]
    TooFewLaunches {
        /// The number of launches.
        found: usize,
        /// The number of launches that the interval takes.
        least: usize,
    },
    /// A value or the result is infinite or not a number.
    #[error("value {index} of the launches is {value}, which has no mean; look at that launch's observations")]
    NotFinite {
        /// The index of the value, from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// The values are so large that their mean or spread is beyond f64.
    #[error("the launches' values are too large for a mean and a spread; look at their units")]
    Overflow,
    /// A confidence outside of 0 to 1.
    #[error("confidence {0}: expected a number between 0 and 1, such as 0.95")]
    Confidence(f64),
    /// Too few resamples for the ends of an interval.
    #[error("{0} resamples: expected at least 100")]
    Resamples(u32),
    /// The ends are not finite because nearly all launches have the same value.
    #[error("nearly all launches have the same value, so that resamples have no spread; give the values themselves")]
    NoSpread,
}

impl EstimateError {
    /// Refuses fewer values than `least`, and values that are not finite.
    pub(super) fn check(values: &[f64], least: usize) -> Result<(), Self> {
        if values.len() < least {
            let found = values.len();
            return Err(Self::TooFewLaunches { found, least });
        }
        match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            Some((index, &value)) => Err(Self::NotFinite { index, value }),
            None => Ok(()),
        }
    }
}

/// Mean over launches with a 95 % interval; see [`estimate_with`].
///
/// # Errors
/// Below two launches, and for a value that is not finite.
pub fn estimate(values: &[f64]) -> Result<Estimate, EstimateError> {
    estimate_with(values, CONFIDENCE)
}

/// Mean over launches with an interval of the given confidence, one value per launch.
///
/// m ± t(1 - α/2, n - 1) s/√n, and the MDE of [`super::power::mde`]. Assumes that launches are independent
/// and their values near enough to normal for the mean of n of them; nothing about requests within a launch. Kalibera &
/// Jones, <https://doi.org/10.1145/2491894.2464160>; Bloom for the MDE, <https://doi.org/10.1177/0193841X9501900504>.
/// Validated against SciPy (`tests/reference`).
///
/// # Errors
/// Below two launches, for a value that is not finite, and for a confidence outside of 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a count of launches")]
pub fn estimate_with(values: &[f64], confidence: f64) -> Result<Estimate, EstimateError> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(EstimateError::Confidence(confidence));
    }
    EstimateError::check(values, 2)?;
    let n = values.len() as f64;
    let value = values.iter().sum::<f64>() / n;
    let launch_sd = (values.iter().map(|one| (one - value).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let launches = u32::try_from(values.len()).map_err(|_| EstimateError::Overflow)?;
    // What is left to go wrong is a spread beyond f64.
    let half = half_width(launch_sd, launches, confidence).map_err(|_| EstimateError::Overflow)?;
    let mde = mde(launch_sd, launches, confidence, POWER).map_err(|_| EstimateError::Overflow)?;
    if ![value - half, value + half, mde]
        .iter()
        .all(|number| number.is_finite())
    {
        return Err(EstimateError::Overflow);
    }
    Ok(Estimate {
        value,
        confidence_interval: (value - half, value + half),
        confidence,
        launches: values.len(),
        launch_sd,
        mde,
    })
}
