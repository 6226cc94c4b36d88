//! A value with its interval, and the units of values.

use serde::{Deserialize, Serialize};

use crate::Estimate;

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

impl From<&Estimate> for Interval {
    fn from(estimate: &Estimate) -> Self {
        Self::new(estimate.value, estimate.confidence_interval)
    }
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
