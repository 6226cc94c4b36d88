//! Distributions of delays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::invalid_value::require;

/// A distribution of the delays that a relay adds to requests, by its quantiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelayDistribution {
    /// The recordings from which the distribution was computed, in words.
    pub source: String,
    /// Quantiles, ns, ascending. Of n quantiles, quantile i (from 0) is the value at the probability (i + 0.5) / n.
    pub quantiles_ns: Vec<u64>,
}

impl DelayDistribution {
    /// Checks that there are quantiles and that they ascend.
    ///
    /// # Errors
    /// When there are none or they do not ascend.
    pub fn validate(&self) -> Result<(), ModelError> {
        let ascend = !self.quantiles_ns.is_empty() && self.quantiles_ns.is_sorted();
        let found = format!("{:?}", self.quantiles_ns);
        Ok(require(ascend, "quantiles_ns", found, "at least one value, ascending")?)
    }

    /// Returns the mean delay, ns.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "delays far below 2^52 ns, and few of them")]
    pub fn mean_ns(&self) -> f64 {
        let sum: f64 = self.quantiles_ns.iter().map(|&delay_ns| delay_ns as f64).sum();
        sum / self.quantiles_ns.len() as f64
    }

    /// Returns the quantile of a share from 0 to 1, ns, with linear interpolation between the known quantiles. A share that
    /// is drawn evenly gives a delay of this distribution.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions in a short list, and delays far below 2^52 ns"
    )]
    pub fn quantile_ns(&self, share: f64) -> u64 {
        let last = self.quantiles_ns.len() - 1;
        let position = (share * self.quantiles_ns.len() as f64 - 0.5).clamp(0.0, last as f64);
        let below = position as usize;
        let (low_ns, high_ns) = (self.quantiles_ns[below], self.quantiles_ns[last.min(below + 1)]);
        low_ns + ((high_ns - low_ns) as f64 * position.fract()).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_between_known_quantiles_are_interpolated() {
        let delays = DelayDistribution {
            source: "made up".to_owned(),
            quantiles_ns: vec![0, 100, 200, 1_000],
        };
        delays.validate().unwrap();
        assert_eq!(
            [0.0, 0.125, 0.25, 0.5, 0.99].map(|share| delays.quantile_ns(share)),
            [0, 0, 50, 150, 1_000]
        );
        assert!((delays.mean_ns() - 325.0).abs() < f64::EPSILON);
    }

    #[test]
    fn quantiles_that_do_not_ascend_are_refused() {
        for quantiles_ns in [vec![], vec![2, 1]] {
            let delays = DelayDistribution {
                source: String::new(),
                quantiles_ns,
            };
            assert!(
                delays
                    .validate()
                    .unwrap_err()
                    .to_string()
                    .starts_with("`quantiles_ns`: [")
            );
        }
    }
}
