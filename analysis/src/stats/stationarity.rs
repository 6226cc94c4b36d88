//! Stationarity of a series, and outliers.

use serde::{Deserialize, Serialize};

use super::Distribution;
use super::sorted::mean;

/// Critical values of the statistic around a level, with their p (Kwiatkowski et al., table 1).
const CRITICAL: [(f64, f64); 4] = [(0.347, 0.10), (0.463, 0.05), (0.574, 0.025), (0.739, 0.01)];
/// Interquartile ranges from the quartiles beyond which Tukey calls a value far out.
const FAR_OUT: f64 = 3.0;

/// A test of stationarity around a level.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Stationarity {
    /// The KPSS statistic.
    pub statistic: f64,
    /// Autocovariances that its long-run variance takes in.
    pub lags: usize,
    /// The p value, limited to the range of the published table: 0.01 to 0.1.
    pub p: f64,
}

/// Tests that a series stays around one level, against a level that wanders (KPSS): η = Σ S_t² / (n² s²), S_t being the sums of
/// deviations from the mean and s² the long-run variance with Bartlett's weights over ⌈12 (n/100)^¼⌉ lags. A small p is
/// evidence that the level moved. Kwiatkowski, Phillips, Schmidt & Shin,
/// <https://doi.org/10.1016/0304-4076(92)90104-Y>. Validated against statsmodels (`tests/reference`).
///
/// `None` for a series that is not longer than the lags or than ten values, that does not vary, or with a value that is not
/// finite.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths of series"
)]
pub fn stationarity(series: &[f64]) -> Option<Stationarity> {
    let n = series.len();
    let lags = (12.0 * (n as f64 / 100.0).powf(0.25)).ceil() as usize;
    if n <= lags.max(10) || series.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let middle = mean(series);
    let deviations: Vec<f64> = series.iter().map(|value| value - middle).collect();
    let mut sum = 0.0;
    let mut squares = 0.0;
    for deviation in &deviations {
        sum += deviation;
        squares += sum * sum;
    }
    let covariance = |lag: usize| -> f64 {
        let pairs = deviations.iter().zip(&deviations[lag..]);
        pairs.map(|(one, later)| one * later).sum()
    };
    let weighted: f64 = (1..=lags)
        .map(|lag| (1.0 - lag as f64 / (lags as f64 + 1.0)) * covariance(lag))
        .sum();
    let long_run = (covariance(0) + 2.0 * weighted) / n as f64;
    let statistic = squares / (n as f64).powi(2) / long_run;
    (long_run > 0.0 && statistic.is_finite()).then(|| Stationarity {
        statistic,
        lags,
        p: p_value(statistic),
    })
}

/// Linear between the table's values.
fn p_value(statistic: f64) -> f64 {
    let (first, last) = (CRITICAL[0], CRITICAL[CRITICAL.len() - 1]);
    if statistic <= first.0 {
        return first.1;
    }
    CRITICAL
        .windows(2)
        .find(|pair| statistic <= pair[1].0)
        .map_or(last.1, |pair| {
            let share = (statistic - pair[0].0) / (pair[1].0 - pair[0].0);
            pair[0].1 + share * (pair[1].1 - pair[0].1)
        })
}

/// The number of outliers. They stay in all estimates.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Outliers {
    /// Below the first quartile by more than three interquartile ranges.
    pub low: u64,
    /// Above the third quartile by more than that.
    pub high: u64,
    /// All observations.
    pub of: u64,
}

/// Counts what Tukey calls far out: beyond three interquartile ranges from the quartiles. `None` for an empty distribution.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "times in ns are far below 2^53")]
pub fn outliers(distribution: &Distribution) -> Option<Outliers> {
    let (q1, q3) = (distribution.quantile(0.25)?, distribution.quantile(0.75)?);
    let reach = FAR_OUT * (q3 - q1);
    let count = |beyond: &dyn Fn(f64) -> bool| {
        let values = distribution.iter().filter(|(value_ns, _)| beyond(*value_ns as f64));
        values.map(|(_, times)| times).sum()
    };
    Some(Outliers {
        low: count(&|value| value < q1 - reach),
        high: count(&|value| value > q3 + reach),
        of: distribution.len(),
    })
}
