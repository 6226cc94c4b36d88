//! A value with its interval, the interval at other levels, and the units of values.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, Normal};

use crate::{Estimate, student};

/// The confidence of every [`Interval`].
const CONFIDENCE: f64 = 0.95;

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Makes an interval from a value and both ends.
    #[must_use]
    pub const fn new(value: f64, (low, high): (f64, f64)) -> Self {
        Self { value, low, high }
    }
}

impl From<(f64, (f64, f64))> for Interval {
    fn from((value, ends): (f64, (f64, f64))) -> Self {
        Self::new(value, ends)
    }
}

impl From<&Estimate> for Interval {
    fn from(estimate: &Estimate) -> Self {
        Self::new(estimate.value, estimate.confidence_interval)
    }
}

/// The scale on which the sides of an interval grow with the confidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalScale {
    /// The scale of the value: differences, and ratios by Fieller's theorem.
    Linear,
    /// The logarithm of the value: ratios of spreads and of times.
    Log,
    /// The logarithm of the odds: shares.
    Logit,
}

impl IntervalScale {
    /// The position of a value on the scale; not finite for a value that the scale does not have.
    pub(super) fn of(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.ln(),
            Self::Logit => (value / (1.0 - value)).ln(),
        }
    }

    /// The value at a position on the scale.
    pub(super) fn back(self, scaled: f64) -> f64 {
        match self {
            Self::Linear => scaled,
            Self::Log => scaled.exp(),
            Self::Logit => 1.0 / (1.0 + (-scaled).exp()),
        }
    }
}

/// The tail of an interval, from which the interval at another confidence follows.
///
/// On its scale, each side of the interval is a quantile of Student's t times a standard error of that side. The side at
/// another confidence is the side at 95 % times the ratio of both quantiles. This is exact for t intervals (means, Welch's
/// differences, jackknives of logarithms) and an approximation for the other intervals. The part that [`super::systematic`]
/// adds to a side does not grow with the confidence.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IntervalTail {
    /// The degrees of freedom of Student's t; `None` for the normal distribution.
    pub degrees_of_freedom: Option<f64>,
    /// The scale.
    pub scale: IntervalScale,
}

impl IntervalTail {
    /// The tail of a mean over launches, or of a difference of means.
    #[must_use]
    pub const fn linear(degrees_of_freedom: f64) -> Self {
        Self {
            degrees_of_freedom: Some(degrees_of_freedom),
            scale: IntervalScale::Linear,
        }
    }

    /// The tail of a ratio whose logarithm has a t interval.
    #[must_use]
    pub const fn log(degrees_of_freedom: f64) -> Self {
        Self {
            degrees_of_freedom: Some(degrees_of_freedom),
            scale: IntervalScale::Log,
        }
    }

    /// The tail of a share.
    #[must_use]
    pub const fn share() -> Self {
        Self {
            degrees_of_freedom: None,
            scale: IntervalScale::Logit,
        }
    }

    /// The interval of `interval` and its tail at another confidence, 0 to 1.
    #[must_use]
    pub fn at(&self, interval: &Interval, confidence: f64) -> Interval {
        let factor = self.quantile(confidence) / self.quantile(CONFIDENCE);
        let end = |end: f64| {
            let scale = self.usable([interval.value, end]);
            let value = scale.of(interval.value);
            scale.back(value + factor * (scale.of(end) - value))
        };
        Interval::new(interval.value, (end(interval.low), end(interval.high)))
    }

    /// The one-sided p value that the quantity lies on the other side of `threshold` than its value, from the statistical and
    /// the total interval: the level at which the end of the total interval lies on the threshold. The p value is at most 2.5 %
    /// exactly where the total interval at 95 % excludes the threshold. It is above 50 % if the systematic part alone reaches the
    /// threshold, and 1 if an end is not finite.
    #[must_use]
    pub(super) fn p_beyond(&self, threshold: f64, side: Side, interval: &Interval, total: &Interval) -> f64 {
        let (end, total_end) = match side {
            Side::Above => (interval.low, total.low),
            Side::Below => (interval.high, total.high),
        };
        if ![interval.value, end, total_end].iter().all(|value| value.is_finite()) {
            return 1.0;
        }
        let scale = self.usable([interval.value, end, total_end, threshold]);
        let sign = match side {
            Side::Above => 1.0,
            Side::Below => -1.0,
        };
        let reach = |from: f64, to: f64| sign * (scale.of(from) - scale.of(to));
        let (half, systematic) = (reach(interval.value, end), reach(end, total_end));
        let distance = reach(interval.value, threshold) - systematic;
        if half > 0.0 {
            self.upper_tail(distance / half * self.quantile(CONFIDENCE))
        } else if distance > 0.0 {
            0.0
        } else {
            1.0
        }
    }

    /// The value and its standard error on the tail's scale: the mean half of the statistical interval by the quantile.
    pub(super) fn effect(&self, interval: &Interval) -> (f64, f64) {
        let of = |value| self.scale.of(value);
        let half = (of(interval.high) - of(interval.low)) / 2.0;
        (of(interval.value), half / self.quantile(CONFIDENCE))
    }

    /// The tail's scale if all values have finite positions on it, else the linear scale.
    fn usable<const N: usize>(&self, values: [f64; N]) -> IntervalScale {
        if values.iter().all(|value| self.scale.of(*value).is_finite()) {
            self.scale
        } else {
            IntervalScale::Linear
        }
    }

    /// The quantile between zero and which half of `confidence` lies.
    fn quantile(&self, confidence: f64) -> f64 {
        let p = f64::midpoint(1.0, confidence);
        self.degrees_of_freedom.map_or_else(
            || Normal::standard().inverse_cdf(p),
            |freedom| student::quantile(p, freedom),
        )
    }

    fn upper_tail(&self, t: f64) -> f64 {
        self.degrees_of_freedom
            .map_or_else(|| Normal::standard().sf(t), |freedom| student::upper_tail(t, freedom))
    }
}

/// The side of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Above,
    Below,
}

/// The unit of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds; shown as microseconds.
    #[strum(to_string = "nanoseconds")]
    Ns,
    /// The quotient of two quantities of the same unit.
    Ratio,
    /// A part of a whole, 0 to 1; shown in per cent.
    Share,
}

impl Unit {
    /// A number of this unit as it is shown, without the unit.
    #[must_use]
    pub fn number(self, value: f64) -> String {
        let (shown, digits) = match self {
            Self::Ns => (value / 1e3, 2),
            Self::Share => (value * 100.0, 1),
            Self::Ratio => (value, 2),
        };
        format!("{shown:.digits$}").replace('-', "\u{2212}")
    }

    /// The text that follows a number.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Ns => " µs",
            Self::Share => " %",
            Self::Ratio => "",
        }
    }

    /// A value with its interval: `1.20 [1.10, 1.30] µs`.
    #[must_use]
    pub fn interval(self, interval: &Interval) -> String {
        format!(
            "{} [{}, {}]{}",
            self.number(interval.value),
            self.number(interval.low),
            self.number(interval.high),
            self.suffix()
        )
    }
}
