//! Distributions of delays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::invalid_value::require;

/// A distribution of the delays that a relay adds to requests, by its quantiles, and the dependence of delays on earlier delays.
///
/// A delay is the quantile of a normal score. The score is the sum of independent components: slow ones, whose autocorrelation falls
/// exponentially with the time between two requests, and a rest that each request draws anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelayDistribution {
    /// The recordings from which the distribution was computed, in words.
    pub source: String,
    /// Quantiles, ns, ascending. Of n quantiles, quantile i (from 0) is the value at the probability (i + 0.5) / n.
    pub quantiles_ns: Vec<u64>,
    /// The slow components; none for delays that do not depend on earlier delays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slow: Vec<SlowComponent>,
}

/// A component of the normal scores of delays whose autocorrelation is exp(−t/τ) after the time t.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowComponent {
    /// The time constant τ, ms.
    pub time_ms: f64,
    /// The component's share of the variance of the scores, 0 to 1.
    pub share: f64,
}

impl DelayDistribution {
    /// Checks that there are quantiles, that they ascend, and that the slow components have at most the variance of the scores.
    ///
    /// # Errors
    /// Names the first key whose value is not accepted.
    pub fn validate(&self) -> Result<(), ModelError> {
        let ascend = !self.quantiles_ns.is_empty() && self.quantiles_ns.is_sorted();
        let found = format!("{:?}", self.quantiles_ns);
        require(ascend, "quantiles_ns", found, "at least one value, ascending")?;
        for component in &self.slow {
            let SlowComponent { time_ms, share } = *component;
            require(
                time_ms.is_finite() && time_ms > 0.0,
                "slow.time_ms",
                time_ms,
                "a time above 0",
            )?;
            require((0.0..=1.0).contains(&share), "slow.share", share, "0 to 1")?;
        }
        let sum: f64 = self.slow.iter().map(|component| component.share).sum();
        Ok(require(sum <= 1.0, "slow.share", sum, "a sum of at most 1")?)
    }

    /// Returns the distribution with every delay multiplied by a factor.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "delays far below 2^52 ns, and a factor of at least 0"
    )]
    pub fn scaled(self, factor: f64) -> Self {
        let quantiles = self.quantiles_ns.iter();
        Self {
            quantiles_ns: quantiles
                .map(|&delay_ns| (delay_ns as f64 * factor).round() as u64)
                .collect(),
            ..self
        }
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
            slow: Vec::new(),
        };
        delays.validate().unwrap();
        assert_eq!(delays.clone().scaled(0.25).quantiles_ns, [0, 25, 50, 250]);
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
                slow: Vec::new(),
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

    #[test]
    fn slow_components_beyond_the_whole_variance_are_refused() {
        let of = |time_ms, shares: &[f64]| DelayDistribution {
            source: String::new(),
            quantiles_ns: vec![1],
            slow: shares.iter().map(|&share| SlowComponent { time_ms, share }).collect(),
        };
        of(5.0, &[0.5, 0.5]).validate().unwrap();
        for (refused, key) in [
            (of(5.0, &[0.6, 0.6]), "`slow.share`: 1.2"),
            (of(5.0, &[-0.1]), "`slow.share`: -0.1"),
            (of(0.0, &[0.1]), "`slow.time_ms`: 0"),
        ] {
            let error = refused.validate().unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
        }
    }
}
