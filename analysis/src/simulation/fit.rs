//! Fits of the noise of recordings: the distribution, autocorrelation and trend of requests, and the spread of
//! launches.

use rand::RngExt;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::stats::serial::autocorrelation;
use crate::stats::sorted::{mean, quantile};

/// Scores of the tables: a standard normal variable from -4 to 4 by quarters.
pub(super) const SCORES: usize = 33;
/// The two lags between which the decay of the autocorrelation is fitted.
const LAGS: (usize, usize) = (1, 100);

/// The variation of the requests of one recording.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct WithinFit {
    /// The name of the recording.
    pub name: String,
    /// Interquartile range, ns.
    pub iqr_ns: f64,
    /// Distance from the median, in interquartile ranges, at each normal score from -4 to 4 by quarters: the shape of the
    /// distribution with its tail.
    pub shape: Vec<f64>,
    /// Coefficient of the AR(1) part, from request to request.
    pub ar_coefficient: f64,
    /// The share of the autocorrelated part in the variance; the rest is independent between requests.
    pub ar_share: f64,
    /// Trend from the first request to the last, in standard deviations.
    pub drift: f64,
    /// Requests of the recording.
    pub requests: usize,
}

/// The spread of launches.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct LaunchFit {
    /// Standard deviation of the difference of two arms from launch to launch, ns.
    pub sd_ns: f64,
    /// The recorded deviations from their mean, ns, from which launches are drawn. They are not made symmetric.
    pub deviations_ns: Vec<f64>,
}

impl LaunchFit {
    /// Draws the difference of two arms in one launch, ns, from the recorded deviations with replacement.
    pub(super) fn draw(&self, generator: &mut Pcg64) -> f64 {
        self.deviations_ns[generator.random_range(0..self.deviations_ns.len())]
    }
}

/// The reason why values cannot be fitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {count} values, or values that do not vary; at least 1,000 that do are needed")]
pub struct FitError {
    /// The name of the values.
    pub name: String,
    /// The number of values.
    pub count: usize,
}

/// Fits a recording (ns, in the order recorded, warm-up left out). Each request gets the normal score of its rank. Their
/// linear trend is the drift; what is left has autocorrelation ρ(k) = share · φ^k, an AR(1) with noise of each request's own,
/// and lags 1 and 100 give both. The distribution itself is kept as a table, so that no form is assumed of its tail.
///
/// # Errors
/// For a recording too short or without spread.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub fn fit_within(name: &str, recording_ns: &[i64]) -> Result<WithinFit, FitError> {
    let values: Vec<f64> = recording_ns.iter().map(|&value_ns| value_ns as f64).collect();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let error = || FitError {
        name: name.to_owned(),
        count: values.len(),
    };
    if values.len() < 1_000 {
        return Err(error());
    }
    let iqr_ns = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
    if iqr_ns <= 0.0 {
        return Err(error());
    }
    let median = quantile(&sorted, 0.5);
    let scores = normal_scores(&values);
    let (trend, rest) = detrended(&scores);
    let (first, last) = LAGS;
    let near = autocorrelation(&rest, first).ok_or_else(error)?;
    let far = autocorrelation(&rest, last).ok_or_else(error)?.max(1e-3);
    let ar_coefficient = (far / near).powf(1.0 / (last - first) as f64).clamp(0.0, 0.999_9);
    Ok(WithinFit {
        name: name.to_owned(),
        iqr_ns,
        shape: at_scores(&sorted).map(|value| (value - median) / iqr_ns).collect(),
        ar_coefficient,
        ar_share: (near / ar_coefficient).clamp(0.0, 1.0),
        drift: trend,
        requests: values.len(),
    })
}

/// Fits launch effects to deviations of many launches, ns. What requests within a launch added to them counts to the launches.
///
/// # Errors
/// For too few deviations, or without spread.
#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
pub fn fit_launches(deviations_ns: &[f64]) -> Result<LaunchFit, FitError> {
    let error = || FitError {
        name: "launches".to_owned(),
        count: deviations_ns.len(),
    };
    if deviations_ns.len() < 1_000 {
        return Err(error());
    }
    let middle = mean(deviations_ns);
    let squares: f64 = deviations_ns.iter().map(|value| (value - middle).powi(2)).sum();
    let variance = squares / (deviations_ns.len() as f64 - 1.0);
    if variance <= 0.0 {
        return Err(error());
    }
    Ok(LaunchFit {
        sd_ns: variance.sqrt(),
        deviations_ns: deviations_ns.iter().map(|value| value - middle).collect(),
    })
}

/// Returns the quantiles of sorted values at each of the normal scores of [`SCORES`].
#[expect(clippy::cast_precision_loss, reason = "a few scores")]
fn at_scores(sorted: &[f64]) -> impl Iterator<Item = f64> {
    (0..SCORES).map(|index| quantile(sorted, Normal::standard().cdf(index as f64 / 4.0 - 4.0)))
}

/// Φ⁻¹((rank - 1/2)/n) of each value.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn normal_scores(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
    let mut scores = vec![0.0; values.len()];
    for (rank, &index) in order.iter().enumerate() {
        scores[index] = Normal::standard().inverse_cdf((rank as f64 + 0.5) / values.len() as f64);
    }
    scores
}

/// The rise of the least-squares line over all of a series, and the series without it.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn detrended(series: &[f64]) -> (f64, Vec<f64>) {
    let middle = (series.len() as f64 - 1.0) / 2.0;
    let level = mean(series);
    let (mut products, mut squares) = (0.0, 0.0);
    for (index, value) in series.iter().enumerate() {
        let place = index as f64 - middle;
        products += place * (value - level);
        squares += place * place;
    }
    let slope = products / squares;
    let rest = series
        .iter()
        .enumerate()
        .map(|(index, value)| value - level - slope * (index as f64 - middle))
        .collect();
    (slope * 2.0 * middle, rest)
}
