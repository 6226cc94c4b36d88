//! The coverage of candidate intervals of a ratio of spreads.

use std::fmt;

use rand_pcg::Pcg64;
use rayon::prelude::*;
use serde::{Serialize, Serializer};
use strum::VariantArray;

use super::draw::draw_places;
use crate::stats::bootstrap::{generator, mean_and_error};
use crate::stats::quantiles::f;
use crate::stats::sorted::{mean, quantile};
use crate::stats::spread::absolute_deviations;
use crate::stats::student;
use crate::{Proportion, paired_spread_ratio, proportion, spread_ratio};

/// Resamples of a bootstrap.
const RESAMPLES: usize = 199;
/// The coverage that a candidate must have in every simulated setting.
const WANTED: (f64, f64) = (0.93, 0.97);

/// The launches from which simulated experiments draw.
#[derive(Clone, Debug, PartialEq)]
pub struct SpreadPopulation {
    /// The name.
    pub name: String,
    /// The values of the first side.
    pub one: Vec<f64>,
    /// The values of the other side.
    pub other: Vec<f64>,
    /// True if the values of both sides belong to the same launches, in the same order.
    pub paired: bool,
    /// False for a population that is reported but does not make a candidate eligible.
    pub decides: bool,
}

/// A measure of spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, VariantArray)]
pub enum SpreadMeasure {
    /// The standard deviation.
    #[strum(to_string = "SD")]
    StandardDeviation,
    /// The mean absolute deviation from the median.
    #[strum(to_string = "mean absolute deviation")]
    MeanAbsoluteDeviation,
    /// Gini's mean difference: the mean absolute difference of two values.
    #[strum(to_string = "mean difference")]
    MeanDifference,
}

/// A candidate interval of a ratio of spreads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpreadInterval {
    /// Snedecor's F. It assumes normal values.
    F,
    /// The jackknife of the logarithm with Student's t (Miller, <https://doi.org/10.1214/aoms/1177698419>).
    Jackknife(SpreadMeasure),
    /// The variance of the influence of each launch on the logarithm, with Student's t. For the mean absolute deviation this is
    /// the interval of Bonett & Seier, <https://doi.org/10.1198/0003130031423>.
    Linearised(SpreadMeasure),
    /// The interval above with the distribution of the resamples' t statistics instead of Student's.
    PercentileT(SpreadMeasure),
    /// The interval above with the distribution of the absolute t statistics.
    SymmetricPercentileT(SpreadMeasure),
}

impl SpreadInterval {
    /// All candidates for launches of two samples. F is none for the same launches.
    fn all(paired: bool) -> Vec<Self> {
        let of_each = SpreadMeasure::VARIANTS.iter().flat_map(|&measure| {
            [
                Self::Jackknife(measure),
                Self::Linearised(measure),
                Self::PercentileT(measure),
                Self::SymmetricPercentileT(measure),
            ]
        });
        let f = (!paired).then_some(Self::F);
        f.into_iter().chain(of_each).collect()
    }

    const fn measure(self) -> SpreadMeasure {
        match self {
            Self::F => SpreadMeasure::StandardDeviation,
            Self::Jackknife(measure)
            | Self::Linearised(measure)
            | Self::PercentileT(measure)
            | Self::SymmetricPercentileT(measure) => measure,
        }
    }
}

impl fmt::Display for SpreadInterval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F => write!(formatter, "SD, F"),
            Self::Jackknife(measure) => write!(formatter, "{measure}, jackknife"),
            Self::Linearised(measure) => write!(formatter, "{measure}, linearised"),
            Self::PercentileT(measure) => write!(formatter, "{measure}, bootstrap-t"),
            Self::SymmetricPercentileT(measure) => write!(formatter, "{measure}, symmetric bootstrap-t"),
        }
    }
}

impl Serialize for SpreadInterval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The coverage of one candidate in one setting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SpreadCoverage {
    /// The candidate.
    pub interval: SpreadInterval,
    /// The share of the intervals that contain the true ratio.
    pub held: Proportion,
    /// Half of the mean width of the logarithm's interval.
    pub half_width: f64,
}

/// The coverage of all candidates for one population and one number of launches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpreadOutcome {
    /// The population.
    pub population: String,
    /// True if both quantities are of the same launches.
    pub paired: bool,
    /// False for a population that is reported but does not make a candidate eligible.
    pub decides: bool,
    /// The number of launches on each side.
    pub launches: usize,
    /// The candidates.
    pub coverage: Vec<SpreadCoverage>,
}

/// Draws experiments from a population with replacement and counts the intervals that contain the ratio of the population's
/// spreads. The outcome is the same on any number of processors.
///
/// # Errors
/// Without an experiment.
pub fn spread_study(
    population: &SpreadPopulation,
    launches: usize,
    experiments: u64,
    seed: u64,
) -> Result<SpreadOutcome, crate::ProportionError> {
    let candidates = SpreadInterval::all(population.paired);
    let truths: Vec<f64> = candidates
        .iter()
        .map(|candidate| {
            let measure = candidate.measure();
            (measure.of_population(&population.one) / measure.of_population(&population.other)).ln()
        })
        .collect();
    let found: Vec<Vec<Option<(f64, f64)>>> = (0..experiments)
        .into_par_iter()
        .map(|number| {
            let mut generator = generator(seed, number);
            let sample = population.draw(launches, &mut generator);
            candidates
                .iter()
                .map(|candidate| candidate.log_interval(&sample, &mut generator))
                .collect()
        })
        .collect();
    let coverage = candidates.iter().enumerate().map(|(index, &interval)| {
        let ends: Vec<(f64, f64)> = found.iter().filter_map(|experiment| experiment[index]).collect();
        let held = ends
            .iter()
            .filter(|(low, high)| (*low..=*high).contains(&truths[index]));
        let widths: Vec<f64> = ends.iter().map(|(low, high)| (high - low) / 2.0).collect();
        Ok(SpreadCoverage {
            interval,
            held: proportion(held.count() as u64, experiments)?,
            half_width: mean(&widths),
        })
    });
    Ok(SpreadOutcome {
        population: population.name.clone(),
        paired: population.paired,
        decides: population.decides,
        launches,
        coverage: coverage.collect::<Result<_, _>>()?,
    })
}

/// The candidates whose coverage is 93 to 97 % for every number of launches and every population that decides, from the narrowest to the widest by the mean half-width.
#[must_use]
pub fn eligible(outcomes: &[SpreadOutcome], paired: bool) -> Vec<SpreadInterval> {
    let mut found: Vec<(f64, SpreadInterval)> = SpreadInterval::all(paired)
        .into_iter()
        .filter_map(|candidate| {
            let settings: Vec<&SpreadCoverage> = outcomes
                .iter()
                .filter(|outcome| outcome.paired == paired && outcome.decides)
                .flat_map(|outcome| outcome.coverage.iter().filter(|one| one.interval == candidate))
                .collect();
            let holds = |one: &&SpreadCoverage| (WANTED.0..=WANTED.1).contains(&one.held.value);
            let widths: Vec<f64> = settings.iter().map(|one| one.half_width).collect();
            (!settings.is_empty() && settings.iter().all(holds)).then(|| (mean(&widths), candidate))
        })
        .collect();
    found.sort_by(|one, other| one.0.total_cmp(&other.0));
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// One experiment.
struct SpreadSample {
    one: Vec<f64>,
    other: Vec<f64>,
    paired: bool,
}

impl SpreadPopulation {
    fn draw(&self, launches: usize, generator: &mut Pcg64) -> SpreadSample {
        let places = draw_places(self.one.len(), launches, generator);
        let others = if self.paired {
            places.clone()
        } else {
            draw_places(self.other.len(), launches, generator)
        };
        SpreadSample {
            one: places.iter().map(|&place| self.one[place]).collect(),
            other: others.iter().map(|&place| self.other[place]).collect(),
            paired: self.paired,
        }
    }
}

impl SpreadInterval {
    /// The ends of the interval of the logarithm of the ratio; `None` where the sample gives none.
    fn log_interval(self, sample: &SpreadSample, generator: &mut Pcg64) -> Option<(f64, f64)> {
        let ends = match self {
            Self::F => f_interval(sample)?,
            // The intervals of the project's own estimators.
            Self::Jackknife(SpreadMeasure::MeanAbsoluteDeviation) if !sample.paired => {
                let (_, (low, high)) = spread_ratio(&sample.one, &sample.other)?;
                (low.ln(), high.ln())
            }
            Self::Linearised(SpreadMeasure::MeanAbsoluteDeviation) if sample.paired => {
                let (_, (low, high)) = paired_spread_ratio(&sample.one, &sample.other)?;
                (low.ln(), high.ln())
            }
            Self::Jackknife(measure) => {
                let (value, error) = sample.jackknifed(measure);
                let half = student::quantile(0.975, sample.freedom()) * error;
                (value - half, value + half)
            }
            Self::Linearised(measure) => {
                let (value, error) = sample.linearised(measure)?;
                let half = student::quantile(0.975, sample.freedom()) * error;
                (value - half, value + half)
            }
            Self::PercentileT(measure) => {
                let (value, error) = sample.linearised(measure)?;
                let mut statistics = sample.statistics(measure, value, generator);
                statistics.sort_unstable_by(f64::total_cmp);
                let at = |p| quantile(&statistics, p) * error;
                (value - at(0.975), value - at(0.025))
            }
            Self::SymmetricPercentileT(measure) => {
                let (value, error) = sample.linearised(measure)?;
                let mut statistics = sample.statistics(measure, value, generator);
                statistics.iter_mut().for_each(|statistic| *statistic = statistic.abs());
                statistics.sort_unstable_by(f64::total_cmp);
                let half = quantile(&statistics, 0.95) * error;
                (value - half, value + half)
            }
        };
        (ends.0.is_finite() && ends.1.is_finite()).then_some(ends)
    }
}

fn f_interval(sample: &SpreadSample) -> Option<(f64, f64)> {
    let sd = |values: &[f64]| standard_deviation(values);
    let log = (sd(&sample.one) / sd(&sample.other)).ln();
    let (n, m) = (length(&sample.one) - 1.0, length(&sample.other) - 1.0);
    let end = |p| log - f(p, n, m).ln() / 2.0;
    log.is_finite().then(|| (end(0.975), end(0.025)))
}

impl SpreadSample {
    fn freedom(&self) -> f64 {
        length(&self.one).min(length(&self.other)) - 1.0
    }

    /// The mean of the pseudo-values of the logarithm of the ratio, and its standard error.
    fn jackknifed(&self, measure: SpreadMeasure) -> (f64, f64) {
        let (one, other) = (measure.pseudo_values(&self.one), measure.pseudo_values(&self.other));
        (mean(&one) - mean(&other), self.error(&one, &other))
    }

    /// The standard error of the difference of the means of one value of each launch.
    fn error(&self, one: &[f64], other: &[f64]) -> f64 {
        if self.paired {
            let both: Vec<f64> = one.iter().zip(other).map(|(one, other)| one - other).collect();
            mean_and_error(&both).1
        } else {
            mean_and_error(one).1.hypot(mean_and_error(other).1)
        }
    }

    /// The logarithm of the ratio and its standard error by the launches' influence; `None` for a side without spread.
    fn linearised(&self, measure: SpreadMeasure) -> Option<(f64, f64)> {
        let (first, one) = measure.influence(&self.one);
        let (second, other) = measure.influence(&self.other);
        let (value, error) = (first - second, self.error(&one, &other));
        (value.is_finite() && error.is_finite() && error > 0.0).then_some((value, error))
    }

    /// The t statistics of the resamples. Resamples without spread are left out.
    fn statistics(&self, measure: SpreadMeasure, value: f64, generator: &mut Pcg64) -> Vec<f64> {
        let population = SpreadPopulation {
            name: String::new(),
            one: self.one.clone(),
            other: self.other.clone(),
            paired: self.paired,
            decides: false,
        };
        let resamples = (0..RESAMPLES).filter_map(|_| {
            let resample = population.draw(self.one.len(), generator);
            let (drawn, error) = resample.linearised(measure)?;
            Some((drawn - value) / error)
        });
        resamples.collect()
    }
}

impl SpreadMeasure {
    const fn function(self) -> fn(&[f64]) -> f64 {
        match self {
            Self::StandardDeviation => standard_deviation,
            Self::MeanAbsoluteDeviation => mean_absolute_deviation,
            Self::MeanDifference => mean_difference,
        }
    }

    /// The measure of a whole population, from which experiments draw with replacement.
    fn of_population(self, values: &[f64]) -> f64 {
        let n = length(values);
        match self {
            Self::StandardDeviation => standard_deviation(values) * ((n - 1.0) / n).sqrt(),
            Self::MeanAbsoluteDeviation => mean_absolute_deviation(values),
            Self::MeanDifference => mean_difference(values) * (n - 1.0) / n,
        }
    }

    /// n ln s - (n - 1) ln s₋ᵢ for each launch i, where s is the measure of all launches and s₋ᵢ the measure of the others.
    fn pseudo_values(self, values: &[f64]) -> Vec<f64> {
        let n = length(values);
        let measure = self.function();
        let whole = measure(values).ln();
        let mut others = values.to_vec();
        (0..values.len())
            .map(|left_out| {
                let value = others.remove(left_out);
                let without = measure(&others).ln();
                others.insert(left_out, value);
                n * whole - (n - 1.0) * without
            })
            .collect()
    }

    /// The logarithm of the measure, and the influence of each value on it.
    fn influence(self, values: &[f64]) -> (f64, Vec<f64>) {
        let of = self.function()(values);
        let influence = match self {
            Self::StandardDeviation => {
                let middle = mean(values);
                let squares = values.iter().map(|value| ((value - middle) / of).powi(2) / 2.0);
                squares.collect()
            }
            Self::MeanAbsoluteDeviation => {
                let deviations = absolute_deviations(values);
                deviations.iter().map(|deviation| deviation / of).collect()
            }
            Self::MeanDifference => {
                let n = length(values);
                let apart = |value: f64| values.iter().map(|other| (other - value).abs()).sum::<f64>();
                values
                    .iter()
                    .map(|&value| 2.0 * apart(value) / (n - 1.0) / of)
                    .collect()
            }
        };
        (of.ln(), influence)
    }
}

fn standard_deviation(values: &[f64]) -> f64 {
    mean_and_error(values).1 * length(values).sqrt()
}

fn mean_absolute_deviation(values: &[f64]) -> f64 {
    mean(&absolute_deviations(values))
}

/// Σ (2i - n - 1) x₍ᵢ₎ · 2/(n (n - 1)) over the ascending values.
fn mean_difference(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = length(values);
    let mut weight = 1.0 - n;
    let mut sum = 0.0;
    for value in sorted {
        sum += weight * value;
        weight += 2.0;
    }
    2.0 * sum / (n * (n - 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
fn length(values: &[f64]) -> f64 {
    values.len() as f64
}
