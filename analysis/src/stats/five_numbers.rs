//! The five numbers of a box plot.

use serde::{Deserialize, Serialize};

use super::Distribution;

/// The longest whisker, in interquartile ranges.
const REACH: f64 = 1.5;

/// Box and whiskers after Tukey: quartiles of type 7, whiskers to the farthest observation within 1.5 interquartile
/// ranges of the box, as in Matplotlib and seaborn. Any unit.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct FiveNumbers {
    /// Lowest observation that is not an outlier.
    pub whisker_low: f64,
    /// First quartile.
    pub q1: f64,
    /// Second quartile.
    pub median: f64,
    /// Third quartile.
    pub q3: f64,
    /// Highest observation that is not an outlier.
    pub whisker_high: f64,
}

impl FiveNumbers {
    /// The five numbers of a distribution, ns; `None` when it is empty.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a drawing needs fewer digits than f64 has")]
    pub fn of(distribution: &Distribution) -> Option<Self> {
        let (q1, median, q3) = (
            distribution.quantile(0.25)?,
            distribution.quantile(0.5)?,
            distribution.quantile(0.75)?,
        );
        let reach = REACH * (q3 - q1);
        let low = distribution
            .iter()
            .map(|(value_ns, _)| value_ns as f64)
            .find(|&value| value >= q1 - reach)?;
        let high = distribution
            .iter()
            .rev()
            .map(|(value_ns, _)| value_ns as f64)
            .find(|&value| value <= q3 + reach)?;
        // With few observations the farthest one may lie inside the box. A whisker never begins inside the box.
        Some(Self {
            whisker_low: low.min(q1),
            q1,
            median,
            q3,
            whisker_high: high.max(q3),
        })
    }

    /// Returns the five numbers in another unit: `scaled(1e-6)` turns ns into ms.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            whisker_low: self.whisker_low * factor,
            q1: self.q1 * factor,
            median: self.median * factor,
            q3: self.q3 * factor,
            whisker_high: self.whisker_high * factor,
        }
    }
}
