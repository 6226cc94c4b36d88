//! The difference of two arms over all of their distributions: the quantile-shift function.

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::bootstrap::{FEWEST_LAUNCHES, generator, mean_and_error};
use super::sorted::{mean, quantile};
use super::{Distribution, EffectError, EstimateError, LatencyMetric, LaunchSamples, effect::per_launch, student};

/// Shares at which quantiles are compared: the deciles and the tail.
pub const SHIFT_AT: [f64; 11] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
const RESAMPLES: u64 = 1_999;
const CONFIDENCE: f64 = 0.95;

/// Differences of quantiles, arm less baseline.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct QuantileShift {
    /// In the order of [`SHIFT_AT`].
    pub points: Vec<ShiftPoint>,
    /// Standard errors from each point to both ends of its band.
    pub critical: f64,
    /// Number of launches.
    pub launches: usize,
}

/// One quantile's difference, ns.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct ShiftPoint {
    /// The share below the quantile, 0 to 1.
    pub p: f64,
    /// Mean over launches of the within-launch difference.
    pub value: f64,
    /// 95 % interval of this quantile alone, Student's t over launches.
    pub confidence_interval: (f64, f64),
    /// The band that holds all quantiles' differences together with 95 %.
    pub band: (f64, f64),
}

/// The quantile-shift function of two arms (Doksum, <https://doi.org/10.1214/aos/1176342662>): at each share of [`SHIFT_AT`],
/// the mean over launches of the within-launch difference of quantiles, with a simultaneous 95 % band. The band reaches c
/// standard errors to both sides, c being the 95th percentile of the largest |m* - m|/se* over the shares in resamples of
/// launches (percentile-t, which keeps how quantiles vary together). The coverage of the band is in the simulation study.
///
/// # Errors
/// The errors of [`super::effect`], and an error for fewer than [`FEWEST_LAUNCHES`] launches.
pub fn quantile_shift(
    launches: &[LaunchSamples],
    baseline: &str,
    arm: &str,
    metric: LatencyMetric,
    seed: u64,
) -> Result<QuantileShift, EffectError> {
    let columns = SHIFT_AT
        .iter()
        .map(|&p| {
            let at = |one: &Distribution, other: &Distribution| Some(other.quantile(p)? - one.quantile(p)?);
            per_launch(launches, baseline, arm, metric, at)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(shift_of(&columns, seed)?)
}

/// Returns the quantile-shift function of given differences: one list over launches for each share, all lists of one
/// length.
///
/// # Errors
/// With fewer than [`FEWEST_LAUNCHES`] or a value that is not finite.
#[expect(clippy::cast_precision_loss, reason = "a count of launches")]
pub fn shift_of(columns: &[Vec<f64>], seed: u64) -> Result<QuantileShift, EstimateError> {
    for column in columns {
        EstimateError::check(column, FEWEST_LAUNCHES)?;
    }
    let launches = columns.iter().map(Vec::len).min().unwrap_or(0);
    let critical = critical(columns, launches, seed);
    if !critical.is_finite() {
        return Err(EstimateError::NoSpread);
    }
    let t = student::quantile(f64::midpoint(1.0, CONFIDENCE), launches as f64 - 1.0);
    let points = columns.iter().zip(SHIFT_AT).map(|(column, p)| {
        let (value, error) = mean_and_error(column);
        let within = |width: f64| (value - width * error, value + width * error);
        ShiftPoint {
            p,
            value,
            confidence_interval: within(t),
            // Never narrower than one quantile's own interval.
            band: within(critical.max(t)),
        }
    });
    Ok(QuantileShift {
        points: points.collect(),
        critical: critical.max(t),
        launches,
    })
}

/// 95th percentile of the largest studentised distance.
fn critical(columns: &[Vec<f64>], launches: usize, seed: u64) -> f64 {
    let means: Vec<f64> = columns.iter().map(|column| mean(column)).collect();
    let mut largest: Vec<f64> = (0..RESAMPLES)
        .into_par_iter()
        .map(|number| {
            let mut generator = generator(seed, number);
            let drawn: Vec<usize> = (0..launches).map(|_| generator.random_range(0..launches)).collect();
            let distances = columns.iter().zip(&means).map(|(column, middle)| {
                let resample: Vec<f64> = drawn.iter().map(|&launch| column[launch]).collect();
                let (mean, error) = mean_and_error(&resample);
                let distance = (mean - middle).abs();
                if distance == 0.0 { 0.0 } else { distance / error }
            });
            distances.fold(0.0, f64::max)
        })
        .collect();
    largest.sort_by(f64::total_cmp);
    quantile(&largest, CONFIDENCE)
}
