//! The stopping rule of a run: all intervals are narrow enough, or the time budget is spent. The rule uses the widths of the
//! intervals and not the estimates.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use analysis::{FEWEST_TO_STOP, LatencyMetric, differences, half_width_reached};
use anyhow::{Context as _, Result};
use model::{Experiment, LaunchRecord};
use samples::{FoldSettings, ObservedLaunch};

/// The differences that a run has measured until now.
#[derive(Debug)]
pub(crate) struct StoppingRule {
    experiment: Experiment,
    started: Instant,
    /// By condition and contrast: one difference per launch, ns.
    differences: BTreeMap<(String, String), Vec<f64>>,
}

impl StoppingRule {
    pub(crate) fn new(experiment: Experiment) -> Self {
        Self {
            experiment,
            started: Instant::now(),
            differences: BTreeMap::new(),
        }
    }

    /// Adds the differences of a finished launch.
    ///
    /// # Errors
    /// If its observations cannot be read, or lack an arm of a contrast.
    pub(crate) fn add(&mut self, folder: &Path, launch: &LaunchRecord) -> Result<()> {
        if self.experiment.precision_ns.is_none() {
            return Ok(());
        }
        let file = folder.join(&launch.files.observations);
        let samples = [ObservedLaunch::read(&file, launch, &FoldSettings::from(&self.experiment), None)?.samples];
        for contrast in &self.experiment.contrasts {
            let of = |metric| differences(&samples, &contrast.baseline, &contrast.arm, metric, contrast.location);
            // Without kernel stamps the round-trip time is used, as in the report.
            let found = of(LatencyMetric::WireTime)
                .or_else(|_| of(LatencyMetric::Rtt))
                .with_context(|| format!("contrast {}", contrast.name))?;
            let key = (launch.condition.clone(), contrast.name.clone());
            self.differences.entry(key).or_default().extend(found);
        }
        Ok(())
    }

    /// Returns the reason to end the run after this number of launches of each condition; `None` if the run goes on.
    pub(crate) fn enough(&self, launches: u32) -> Option<String> {
        let spent = self.started.elapsed();
        if let Some(budget_s) = self.experiment.budget_s
            && spent >= Duration::from_secs_f64(budget_s)
            && launches < self.experiment.launches
            && launches >= self.experiment.fewest_launches
        {
            return Some(format!(
                "the budget of {budget_s} s was spent after {launches} launches"
            ));
        }
        let wanted_ns = self.experiment.precision_ns?;
        let widest_ns = self.widest_ns().filter(|_| launches as usize >= FEWEST_TO_STOP)?;
        (widest_ns <= wanted_ns && launches < self.experiment.launches).then(|| {
            format!("half-widths of at most {wanted_ns} ns were reached after {launches} launches: {widest_ns:.0} ns")
        })
    }

    /// Returns half the width of the widest 95 % interval, ns; `None` if an interval cannot be computed yet.
    fn widest_ns(&self) -> Option<f64> {
        let halves = self
            .differences
            .values()
            .map(|differences| half_width_reached(differences));
        halves.collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max)
    }
}
