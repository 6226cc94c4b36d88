//! When to stop: intervals that are narrow enough, or a budget that is spent. What decides is how wide the intervals are,
//! never where they lie.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use analysis::{FEWEST_TO_STOP, LatencyMetric, differences, half_width_reached};
use anyhow::{Context as _, Result};
use model::LaunchRecord;
use samples::{FoldSettings, ObservedLaunch};

use model::{Contrast, Experiment};

/// How far a run has come.
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

    /// Takes note of a finished launch.
    pub(crate) fn add(&mut self, folder: &Path, launch: &LaunchRecord) -> Result<()> {
        if self.experiment.precision_ns.is_none() {
            return Ok(());
        }
        let file = folder.join(&launch.files.observations);
        let samples = [ObservedLaunch::read(&file, launch, &FoldSettings::from(&self.experiment), None)?.samples];
        for contrast in &self.experiment.contrasts {
            let of = |metric| differences(&samples, &contrast.baseline, &contrast.arm, metric, contrast.location);
            // Where the kernel gives no stamps, the round trip stands in, as in the report.
            let found = of(LatencyMetric::WireTime)
                .or_else(|_| of(LatencyMetric::Rtt))
                .with_context(|| format!("contrast {}", contrast.name))?;
            self.differences.entry(key(launch, contrast)).or_default().extend(found);
        }
        Ok(())
    }

    /// Why the run ends after so many launches of each condition; `None` when it goes on.
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

    /// Half of the widest of all 95 % intervals, ns; `None` while one cannot be told.
    fn widest_ns(&self) -> Option<f64> {
        let halves = self
            .differences
            .values()
            .map(|differences| half_width_reached(differences));
        halves.collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max)
    }
}

fn key(launch: &LaunchRecord, contrast: &Contrast) -> (String, String) {
    (launch.condition.clone(), contrast.name.clone())
}
