//! Many simulated experiments of one kind.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::count::{Coverage, Method};
use super::experiment::{Differences, median_difference, over_requests};
use super::noise::{Design, SimulatedNoise};
use crate::stats::bootstrap::generator;
use crate::stats::sorted::mean;
use crate::{
    Bootstrap, FEWEST_TO_STOP, LaunchEffect, ResampledUnit, Resampling, bootstrap, estimate, hodges_lehmann, may_stop,
    shift_of,
};

/// Resamples of one experiment.
const RESAMPLES: u32 = 999;
/// Segments of a launch.
const SEGMENTS: usize = 10;

/// A kind of experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario<'a> {
    /// The name.
    pub name: String,
    /// The noise of requests.
    pub noise: SimulatedNoise<'a>,
    /// The order of the requests.
    pub design: Design,
    /// Rounds of a launch.
    pub rounds: usize,
    /// Launches of an experiment that does not stop early.
    pub launches: usize,
    /// The stopping rule of an experiment that may stop early.
    pub stopping: Stopping,
}

/// The rule by which a run stops early.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Stopping {
    /// Number of launches that defines the wanted half-width: the half-width that this number of launches reaches on
    /// average.
    pub aimed_at: usize,
    /// Number of launches after which a run ends in any case.
    pub most: usize,
}

/// The outcome of a scenario.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ScenarioOutcome {
    /// The scenario.
    pub scenario: String,
    /// The order of the requests.
    pub design: Design,
    /// Experiments.
    pub experiments: usize,
    /// Launches of each that does not stop early.
    pub launches: usize,
    /// True if the true effect is zero.
    pub a_a: bool,
    /// Standard deviation of the difference of medians from launch to launch, ns.
    pub launch_sd_ns: f64,
    /// The half-width at which runs stopped, ns.
    pub stopped_at_ns: f64,
    /// Launches at the stop, on average.
    pub stopped_after: f64,
    /// Share of the variance of the difference that is between launches (0 to 1).
    pub launch_share: f64,
    /// The coverage of each method.
    pub coverage: Vec<Coverage>,
}

/// Simulates the experiments and counts the intervals of each method that contain the truth. The truth of an A/A is zero. The
/// truth of a cost is the mean over all launches of all experiments, whose error is a fortieth of the error of one experiment.
///
/// Each experiment has a generator of its own, so that the outcome is the same on any number of processors.
///
/// # Panics
/// With no experiment, fewer than ten launches, or fewer than 100 rounds.
#[must_use]
pub fn study(scenario: &Scenario<'_>, experiments: usize, seed: u64) -> ScenarioOutcome {
    assert!(experiments > 0 && scenario.launches >= FEWEST_TO_STOP && scenario.rounds >= 100);
    let made: Vec<Made> = (0..experiments as u64)
        .into_par_iter()
        .map(|number| make(scenario, number, seed))
        .collect();
    let truth = Truth::of(scenario, &made);
    let launch_sd_ns = launch_sd(&made);
    let aimed = half_width_of(launch_sd_ns, scenario.stopping.aimed_at);
    let judged: Vec<Judged> = made.par_iter().map(|made| judge(made, &truth, aimed)).collect();
    let coverage = Method::ALL.iter().filter_map(|&method| {
        let intervals: Vec<(bool, f64)> = judged
            .iter()
            .filter_map(|judged| judged.intervals.get(&method).copied())
            .collect();
        Coverage::of(method, &intervals)
    });
    let stops: Vec<f64> = judged.iter().map(|judged| judged.launches).collect();
    ScenarioOutcome {
        scenario: scenario.name.clone(),
        design: scenario.design,
        experiments,
        launches: scenario.launches,
        a_a: scenario.noise.cost_ns == 0.0,
        launch_sd_ns,
        stopped_at_ns: aimed,
        stopped_after: mean(&stops),
        launch_share: (scenario.noise.launches.sd_ns / launch_sd_ns).powi(2),
        coverage: coverage.collect(),
    }
}

/// The launches of an experiment: all differences of the fixed number of launches, and the differences of medians of all
/// launches that a run with early stopping may measure.
struct Made {
    /// The seed of its resamples.
    seed: u64,
    launches: Vec<Differences>,
    medians: Vec<f64>,
}

fn make(scenario: &Scenario<'_>, number: u64, seed: u64) -> Made {
    let mut generator = generator(seed, number);
    let mut made = Made {
        seed: seed.wrapping_add(number),
        launches: Vec::new(),
        medians: Vec::new(),
    };
    for launch in 0..scenario.stopping.most.max(scenario.launches) {
        let simulated = scenario.noise.launch(scenario.rounds, scenario.design, &mut generator);
        if launch < scenario.launches {
            let differences = Differences::of(&simulated, scenario.rounds / SEGMENTS);
            made.medians.push(differences.median.value);
            made.launches.push(differences);
        } else {
            made.medians.push(median_difference(&simulated));
        }
    }
    made
}

/// The true difference of each location, ns.
struct Truth {
    mean: f64,
    trimmed_mean: f64,
    median: f64,
    quantiles: Vec<f64>,
}

impl Truth {
    fn of(scenario: &Scenario<'_>, made: &[Made]) -> Self {
        let known = |of: &dyn Fn(&Differences) -> f64| {
            if scenario.noise.cost_ns == 0.0 {
                return 0.0;
            }
            let all: Vec<f64> = made.iter().flat_map(|made| &made.launches).map(of).collect();
            mean(&all)
        };
        let count = crate::SHIFT_AT.len();
        Self {
            mean: known(&|launch| launch.mean),
            trimmed_mean: known(&|launch| launch.trimmed_mean),
            median: known(&|launch| launch.median.value),
            quantiles: (0..count)
                .map(|index| known(&|launch| launch.quantiles[index]))
                .collect(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
fn launch_sd(made: &[Made]) -> f64 {
    let all: Vec<f64> = made.iter().flat_map(|made| &made.medians).copied().collect();
    let (_, error) = crate::stats::bootstrap::mean_and_error(&all);
    error * (all.len() as f64).sqrt()
}

fn half_width_of(launch_sd: f64, launches: usize) -> f64 {
    let launches = u32::try_from(launches).unwrap_or(u32::MAX);
    crate::stats::power::half_width(launch_sd, launches, 0.95).unwrap_or(f64::NAN)
}

struct Judged {
    intervals: BTreeMap<Method, (bool, f64)>,
    launches: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of launches")]
fn judge(made: &Made, truth: &Truth, aimed: f64) -> Judged {
    let seed = made.seed;
    let mut intervals = BTreeMap::new();
    let mut add = |method, interval: Option<(f64, f64)>, truth: f64| {
        let held = interval.map(|(low, high)| (low <= truth && truth <= high, (high - low) / 2.0));
        intervals.extend(held.map(|held| (method, held)));
    };
    let t = |values: &[f64]| estimate(values).ok().map(|found| found.confidence_interval);
    let of = |each: &dyn Fn(&Differences) -> f64| made.launches.iter().map(each).collect::<Vec<f64>>();
    let medians: Vec<LaunchEffect> = made.launches.iter().map(|launch| launch.median.clone()).collect();
    let values = of(&|launch| launch.median.value);
    add(Method::MedianT, t(&values), truth.median);
    add(Method::MeanT, t(&of(&|launch| launch.mean)), truth.mean);
    add(
        Method::TrimmedMeanT,
        t(&of(&|launch| launch.trimmed_mean)),
        truth.trimmed_mean,
    );
    let last = truth.quantiles.len() - 1;
    add(
        Method::P99T,
        t(&of(&|launch| launch.quantiles[last])),
        truth.quantiles[last],
    );
    let ranks = hodges_lehmann(&values).ok().and_then(|found| found.confidence_interval);
    add(Method::HodgesLehmann, ranks, truth.median);
    for (drawn, percentile_t, bca) in [
        (ResampledUnit::Launches, Method::PercentileT, Method::Bca),
        (
            ResampledUnit::LaunchesAndSegments,
            Method::PercentileTSegments,
            Method::BcaSegments,
        ),
    ] {
        let found = resampled(&medians, drawn, seed);
        add(percentile_t, found.map(|found| found.percentile_t), truth.median);
        add(bca, found.map(|found| found.bca), truth.median);
    }
    add(Method::RequestsT, Some(over_requests(&made.launches)), truth.mean);
    add(
        Method::RequestsTOneLaunch,
        Some(over_requests(&made.launches[..1])),
        truth.mean,
    );
    let stop = stop(&made.medians, aimed);
    let stopped = &made.medians[..stop];
    add(Method::MedianTStopped, t(stopped), truth.median);
    let stopped: Vec<LaunchEffect> = stopped
        .iter()
        .map(|&value| LaunchEffect {
            value,
            segments: Vec::new(),
        })
        .collect();
    let found = resampled(&stopped, ResampledUnit::Launches, seed);
    add(
        Method::PercentileTStopped,
        found.map(|found| found.percentile_t),
        truth.median,
    );
    intervals.extend(band(made, truth).map(|held| (Method::ShiftBand, held)));
    Judged {
        intervals,
        launches: stop as f64,
    }
}

fn resampled(launches: &[LaunchEffect], drawn: ResampledUnit, seed: u64) -> Option<Bootstrap> {
    let resampling = Resampling {
        drawn,
        resamples: RESAMPLES,
        seed,
        ..Resampling::default()
    };
    bootstrap(launches, resampling).ok()
}

/// The number of launches after which a run stops, for a wanted half-width.
fn stop(medians: &[f64], wanted: f64) -> usize {
    (FEWEST_TO_STOP..medians.len())
        .find(|&launches| may_stop(&medians[..launches], wanted))
        .unwrap_or(medians.len())
}

/// Returns true if the band contains the true differences of all quantiles, and half of the band's width at the median,
/// ns. `None` if the launches give no band.
fn band(made: &Made, truth: &Truth) -> Option<(bool, f64)> {
    let columns: Vec<Vec<f64>> = (0..truth.quantiles.len())
        .map(|index| made.launches.iter().map(|launch| launch.quantiles[index]).collect())
        .collect();
    let found = shift_of(&columns, made.seed).ok()?;
    let held = found.points.iter().zip(&truth.quantiles).all(|(point, truth)| {
        let (low, high) = point.band;
        low <= *truth && *truth <= high
    });
    let middle = found.points.iter().find(|point| point.p == 0.5)?;
    Some((held, (middle.band.1 - middle.band.0) / 2.0))
}
