//! The expectation of a claim, and the verdict on an interval.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, Unit};

/// The verdict of data on a claim. A check that could not run never counts as passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The data show the claim.
    Supported,
    /// The data show the contrary.
    #[strum(to_string = "not supported")]
    NotSupported,
    /// The interval straddles the threshold or is not finite, a control failed, or a limit was hit.
    Inconclusive,
    /// There are no data.
    #[strum(to_string = "not run")]
    NotRun,
}

/// The side of the threshold on which a claim expects a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Above the threshold.
    Above,
    /// Below the threshold.
    Below,
    /// Nearer to a centre than the threshold: equivalence.
    Within,
}

/// A direction with its threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expectation {
    /// The side of the threshold.
    pub direction: Direction,
    /// The threshold; for [`Direction::Within`] the distance from the centre.
    pub threshold: f64,
    /// The centre, for [`Direction::Within`].
    pub around: f64,
}

impl Expectation {
    /// A cost: above zero.
    #[must_use]
    pub const fn positive() -> Self {
        Self {
            direction: Direction::Above,
            threshold: 0.0,
            around: 0.0,
        }
    }

    /// Equivalence to zero: inside plus or minus a margin.
    #[must_use]
    pub const fn equivalent(margin: f64) -> Self {
        Self {
            direction: Direction::Within,
            threshold: margin,
            around: 0.0,
        }
    }

    /// Returns the verdict of an interval. The whole interval must lie on the claimed side to support the claim and on the
    /// other side to refute it. A negative effect whose interval excludes zero therefore refutes a cost. For equivalence with
    /// a 95 % interval these are the two one-sided tests at 2.5 % (Schuirmann, <https://doi.org/10.1007/BF01068419>). An
    /// interval that is not finite is inconclusive.
    #[must_use]
    pub fn judge(&self, interval: &Interval) -> Verdict {
        let (low, high) = (interval.low, interval.high);
        if !(low.is_finite() && high.is_finite()) {
            return Verdict::Inconclusive;
        }
        let (held, refuted) = match self.direction {
            Direction::Above => (low > self.threshold, high < self.threshold),
            Direction::Below => (high < self.threshold, low > self.threshold),
            Direction::Within => {
                let (bottom, top) = (self.around - self.threshold, self.around + self.threshold);
                (low > bottom && high < top, low > top || high < bottom)
            }
        };
        match (held, refuted) {
            (true, _) => Verdict::Supported,
            (_, true) => Verdict::NotSupported,
            _ => Verdict::Inconclusive,
        }
    }

    /// In words: `above 0.30 µs`.
    #[must_use]
    pub fn text(&self, unit: Unit) -> String {
        let threshold = unit.number(self.threshold);
        match self.direction {
            Direction::Above => format!("above {threshold}{}", unit.suffix()),
            Direction::Below => format!("below {threshold}{}", unit.suffix()),
            Direction::Within => format!("{} ± {threshold}{}", unit.number(self.around), unit.suffix()),
        }
    }
}
