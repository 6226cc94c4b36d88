//! What an interval is held against.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::evidence::{Interval, Unit};

/// What the data say. A check that could not run never counts as passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// They show it.
    Supported,
    /// They show the contrary.
    NotSupported,
    /// The interval is too wide to say or straddles the threshold, a control failed, or a limit was hit.
    Inconclusive,
    /// There are none.
    NotRun,
}

impl Verdict {
    /// As shown to people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::NotSupported => "not supported",
            Self::Inconclusive => "inconclusive",
            Self::NotRun => "not run",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

/// On which side of the threshold a quantity is claimed to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Above it.
    Above,
    /// Below it.
    Below,
    /// Nearer to a centre than it: equivalence.
    Within,
}

/// A direction with its threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expectation {
    /// Which side.
    pub direction: Direction,
    /// The threshold; for [`Direction::Within`] the distance from the centre.
    pub threshold: f64,
    /// The centre, for [`Direction::Within`].
    pub around: f64,
}

impl Expectation {
    /// A cost: above nothing.
    #[must_use]
    pub const fn positive() -> Self {
        Self {
            direction: Direction::Above,
            threshold: 0.0,
            around: 0.0,
        }
    }

    /// As good as nothing: inside plus or minus a margin.
    #[must_use]
    pub const fn equivalent(margin: f64) -> Self {
        Self {
            direction: Direction::Within,
            threshold: margin,
            around: 0.0,
        }
    }

    /// Holds an interval against it. All of the interval must lie on the claimed side to support, all of it on the other to
    /// refute, so that a wrong sign that excludes zero refutes a cost. For equivalence with a 95 % interval that is the two
    /// one-sided tests at 2.5 % (Schuirmann, <https://doi.org/10.1007/BF01068419>). An interval that is not finite says
    /// nothing.
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
