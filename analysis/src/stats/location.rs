//! Where a distribution lies.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Distribution;

/// Share that the trimmed mean leaves out at each end.
const TRIMMED_SHARE: f64 = 0.1;

/// A measure of location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// Middle value: not moved by pauses of the machine.
    Median,
    /// Arithmetic mean: sees rare delays, and every pause of the machine.
    Mean,
    /// Mean without the lowest and the highest tenth.
    TrimmedMean,
    /// 99th percentile.
    P99,
}

impl Location {
    /// The location of a distribution, ns; `None` when it is empty.
    #[must_use]
    pub fn of(self, distribution: &Distribution) -> Option<f64> {
        match self {
            Self::Median => distribution.quantile(0.5),
            Self::Mean => distribution.mean(),
            Self::TrimmedMean => distribution.trimmed_mean(TRIMMED_SHARE),
            Self::P99 => distribution.quantile(0.99),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Median => "median",
            Self::Mean => "mean",
            Self::TrimmedMean => "trimmed mean",
            Self::P99 => "p99",
        })
    }
}
