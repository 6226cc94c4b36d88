//! A proportion with its exact interval and test.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, Binomial, ContinuousCDF as _, Discrete as _};

/// A count of successes in independent trials.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Proportion {
    /// The number of successes.
    pub successes: u64,
    /// The number of trials.
    pub trials: u64,
    /// The share.
    pub value: f64,
    /// 95 % interval of the share (Clopper & Pearson 1934, <https://doi.org/10.1093/biomet/26.4.404>). Its coverage is
    /// at least 95 %.
    pub confidence_interval: (f64, f64),
}

/// The reason why a proportion cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProportionError {
    /// There are no trials.
    #[error("no trial; measure at least one repetition")]
    NoTrial,
    /// More successes than trials.
    #[error("{successes} successes in {trials} trials")]
    TooMany {
        /// Successes.
        successes: u64,
        /// Trials.
        trials: u64,
    },
}

/// The share with its exact 95 % interval: the quantiles 0.025 of Beta(k, n - k + 1) and 0.975 of Beta(k + 1, n - k).
/// Validated against SciPy's `binomtest` (`tests/reference`).
///
/// # Errors
/// Without a trial, or with more successes than trials.
#[expect(clippy::cast_precision_loss, reason = "counts of repetitions")]
pub fn proportion(successes: u64, trials: u64) -> Result<Proportion, ProportionError> {
    if trials == 0 {
        return Err(ProportionError::NoTrial);
    }
    if successes > trials {
        return Err(ProportionError::TooMany { successes, trials });
    }
    let (k, n) = (successes as f64, trials as f64);
    let (low, high) = clopper_pearson(k, n);
    Ok(Proportion {
        successes,
        trials,
        value: k / n,
        confidence_interval: (low, high),
    })
}

/// The mean of shares between 0 and 1 with its 95 % interval: the interval of [`proportion`] with the sum of the shares as the number
/// of successes. For shares of 0 and 1 it is that interval. Shares in between vary less than shares of 0 and 1 with the same mean,
/// so that the interval is rather too wide for them. `None` without shares, and for a share outside of 0 to 1.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of shares")]
pub fn mean_share(shares: &[f64]) -> Option<(f64, (f64, f64))> {
    let valid = !shares.is_empty() && shares.iter().all(|share| (0.0..=1.0).contains(share));
    let (sum, n) = (shares.iter().sum::<f64>(), shares.len() as f64);
    valid.then(|| (sum / n, clopper_pearson(sum, n)))
}

/// The quantiles 0.025 of Beta(k, n - k + 1) and 0.975 of Beta(k + 1, n - k).
fn clopper_pearson(k: f64, n: f64) -> (f64, f64) {
    let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).map(|beta| beta.inverse_cdf(p)).ok();
    // Without a success or without a failure, one end is the end of all shares.
    let low = if k > 0.0 { quantile(k, n - k + 1.0, 0.025) } else { None };
    let high = if k < n { quantile(k + 1.0, n - k, 0.975) } else { None };
    (low.unwrap_or(0.0), high.unwrap_or(1.0))
}

impl Proportion {
    /// The share with its interval as text: `5.0 % [0.1, 24.9]`.
    #[must_use]
    pub fn percent(&self) -> String {
        let (low, high) = self.confidence_interval;
        format!("{:.1} % [{:.1}, {:.1}]", 100.0 * self.value, 100.0 * low, 100.0 * high)
    }

    /// Two-sided exact binomial test: the probability, if the true share is `expected`, of a count that is as unlikely as
    /// this one or more so. Validated against SciPy's `binomtest`.
    ///
    /// # Panics
    /// Unless 0 <= `expected` <= 1.
    #[must_use]
    pub fn p_value(&self, expected: f64) -> f64 {
        let binomial = Binomial::new(expected, self.trials).expect("a share between 0 and 1");
        let found = binomial.pmf(self.successes);
        // Counts that are equally likely count too, whatever rounding says.
        let bound = found * (1.0 + 1e-7);
        let sum: f64 = (0..=self.trials)
            .map(|count| binomial.pmf(count))
            .filter(|pmf| *pmf <= bound)
            .sum();
        sum.min(1.0)
    }
}
