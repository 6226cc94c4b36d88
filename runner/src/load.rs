//! Experiments with levels of load: the capacities of the arms are measured first, then latencies at shares of the capacity of the
//! server without a hook.

use std::path::Path;

use analysis::mean;
use anyhow::{Context, Result, ensure};
use dataset::Run;
use model::{Experiment, FactorLevel, LoadLevels};
use samples::run_samples;

use crate::run::{self, RunEnvironment};

/// Largest change of the capacity between both halves of the launches, as a share of it.
const MOST_DRIFT: f64 = 0.1;

/// Runs an experiment, all its levels of load, or all cells of a grid, and returns the number of invalid launches.
///
/// # Errors
/// If a launch fails. Finished launches are kept, and the same command continues.
pub(crate) fn all(mut experiments: Vec<Experiment>, out: &Path, environment: RunEnvironment<'_>) -> Result<usize> {
    if let [one] = &experiments[..]
        && one.cell.is_empty()
    {
        let one = experiments.remove(0);
        return match one.levels.clone() {
            Some(levels) => carry_out(&one, &levels, out, environment),
            None => run::carry_out(one, out, environment),
        };
    }
    ensure!(
        experiments.iter().all(|one| one.levels.is_none()),
        "a grid has levels of load; expected one experiment, because the levels are a grid of their own"
    );
    run::grid(experiments, Vec::new(), out, environment)
}

/// Measures the capacities and all levels, each in a folder of its own, and returns the number of invalid launches.
///
/// # Errors
/// If the experiment has several conditions, the capacity changes during its measurement, the server cannot hold a level, or a launch
/// fails. Finished launches are kept, and the same command continues.
fn carry_out(
    experiment: &Experiment,
    levels: &LoadLevels,
    out: &Path,
    environment: RunEnvironment<'_>,
) -> Result<usize> {
    ensure!(
        experiment.conditions.len() == 1,
        "{} has levels of load and {} conditions; expected one, because the levels are shares of its capacity: name one by --conditions",
        experiment.name,
        experiment.conditions.len()
    );
    let capacity = experiment.at_capacity();
    let folder = out.join(FactorLevel::folder_name(&capacity.cell));
    let finished = capacity.cell.clone();
    let mut invalid = run::carry_out(capacity, &folder, environment)?;
    let bare = experiment.bare_arm().context("no A/A control")?;
    let capacity_per_s = capacity_per_s(&folder, bare)?;
    eprintln!("{bare} completes {capacity_per_s:.0} requests a second");
    let at = |utilisation: &f64| experiment.at_utilisation(levels, *utilisation, capacity_per_s);
    invalid += run::grid(
        levels.utilisations.iter().map(at).collect(),
        vec![finished],
        out,
        environment,
    )?;
    Ok(invalid)
}

/// The mean capacity of an arm over launches, requests a second.
///
/// # Errors
/// If the run cannot be read, the arm answered no request, or its capacity changed.
fn capacity_per_s(folder: &Path, arm: &str) -> Result<f64> {
    let samples = run_samples(&Run::open(folder)?)?;
    let launches = samples.launches.iter();
    let throughputs: Vec<f64> = launches
        .filter_map(|launch| launch.arms.get(arm)?.throughput_per_s)
        .collect();
    ensure!(
        !throughputs.is_empty(),
        "{arm} answered no request after the warm-up while every connection had one; use fewer connections or a longer warm-up"
    );
    steady(&throughputs).with_context(|| {
        format!(
            "the capacity of {arm} is no unit for levels of load; the launches are kept in {}: measure again with another --out, when \
             nothing else runs",
            folder.display()
        )
    })
}

/// The mean of capacities in the order of their launches.
///
/// # Errors
/// If the means of both halves differ by more than a tenth of the mean.
fn steady(throughputs: &[f64]) -> Result<f64> {
    let all = mean(throughputs);
    let (first, second) = throughputs.split_at(throughputs.len() / 2);
    if !first.is_empty() {
        let change = (mean(second) - mean(first)) / all;
        ensure!(
            change.abs() <= MOST_DRIFT,
            "it changes by {:+.0} % between both halves of the launches",
            100.0 * change
        );
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_that_drifts_by_more_than_a_tenth_is_refused() {
        assert!((steady(&[100.0, 104.0, 98.0, 102.0]).unwrap() - 101.0).abs() < 1e-9);
        assert!((steady(&[100.0]).unwrap() - 100.0).abs() < 1e-9);
        let error = steady(&[100.0, 101.0, 85.0, 86.0]).unwrap_err().to_string();
        assert!(error.contains("changes by -16 %"), "{error}");
    }
}
