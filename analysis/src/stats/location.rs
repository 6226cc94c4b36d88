//! The location of a distribution.

use model::Location;

use super::Distribution;

/// The share of the observations that the trimmed mean leaves out at each end.
const TRIMMED_SHARE: f64 = 0.1;

impl Distribution {
    /// Returns a measure of location, ns; `None` when the distribution is empty.
    #[must_use]
    pub fn location(&self, location: Location) -> Option<f64> {
        match location {
            Location::Median => self.quantile(0.5),
            Location::Mean => self.mean(),
            Location::TrimmedMean => self.trimmed_mean(TRIMMED_SHARE),
            Location::P99 => self.quantile(0.99),
        }
    }
}
