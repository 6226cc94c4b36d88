//! The expectation of a claim, and the verdict on an interval.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, IntervalTail, Side, Unit};

/// The verdict of data on a claim. A check that could not run never counts as passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The data show the claim.
    Supported,
    /// The data show the contrary.
    #[strum(to_string = "not supported")]
    NotSupported,
    /// The interval straddles the threshold or is not finite, a control is missing, a limit was hit, or rows or machines disagree.
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

/// The one-sided p values of a row, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PValues {
    /// Of the test that supports the claim.
    pub supported: f64,
    /// Of the test that refutes the claim.
    pub refuted: f64,
}

impl PValues {
    /// The p values of a row that decides nothing.
    pub(super) const UNDECIDED: Self = Self {
        supported: 1.0,
        refuted: 1.0,
    };
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

    /// The one-sided p values that the quantity lies on the claimed side by chance, and that it lies on the other side by chance.
    /// A p value is at most 2.5 % exactly where the total interval at 95 % supports the expectation, or refutes it. The test of
    /// [`Direction::Within`] is the intersection-union of two one-sided tests; its refutation is the better of both sides.
    #[must_use]
    pub(super) fn p_values(&self, tail: &IntervalTail, interval: &Interval, total: &Interval) -> PValues {
        let beyond = |threshold, side| tail.p_beyond(threshold, side, interval, total);
        let (bottom, top) = (self.around - self.threshold, self.around + self.threshold);
        match self.direction {
            Direction::Above => PValues {
                supported: beyond(self.threshold, Side::Above),
                refuted: beyond(self.threshold, Side::Below),
            },
            Direction::Below => PValues {
                supported: beyond(self.threshold, Side::Below),
                refuted: beyond(self.threshold, Side::Above),
            },
            Direction::Within => PValues {
                supported: beyond(bottom, Side::Above).max(beyond(top, Side::Below)),
                refuted: beyond(top, Side::Above).min(beyond(bottom, Side::Below)),
            },
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
