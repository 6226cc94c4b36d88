//! A run, or the runs of a grid, read and computed.

use std::collections::BTreeMap;
use std::path::Path;

use analysis::LaunchSamples;
use anyhow::{Context as _, Result, bail};
use dataset::{Grid, Run};
use model::{ExhibitKind, LaunchRecord, Manifest};

use crate::results::{Results, results};
use samples::{LaunchTimeline, RunSamples, run_samples};

/// A recorded experiment.
#[derive(Debug)]
pub struct RecordedExperiment {
    /// The experiment's name.
    pub experiment: String,
    /// The question that it asks.
    pub question: String,
    /// The exhibit that it names.
    pub exhibit: Option<ExhibitKind>,
    /// The folder's name.
    pub id: String,
    /// The machine of all cells ([`model::Machine::described`]).
    pub machine: String,
    /// The only cell of a run; all cells of a grid, in the order of its levels. The others are compared with the first.
    pub cells: Vec<RecordedCell>,
}

/// One run of a recorded experiment.
#[derive(Debug)]
pub struct RecordedCell {
    /// The level of each factor; empty for a run that is no grid's.
    pub levels: BTreeMap<String, String>,
    /// The manifest.
    pub manifest: Manifest,
    /// The samples.
    pub samples: RunSamples,
    /// The estimates.
    pub results: Results,
}

/// A launch that was taken out of a cell.
#[derive(Debug)]
pub(crate) struct TakenLaunch {
    index: usize,
    place: usize,
    samples: LaunchSamples,
    timeline: LaunchTimeline,
    record: LaunchRecord,
    /// The estimates of all launches.
    results: Results,
}

impl RecordedExperiment {
    /// Reads a run's folder, or a grid's.
    ///
    /// # Errors
    /// When it is neither, a file is missing or damaged, or the cells of a grid were recorded on several machines.
    pub fn open(folder: &Path) -> Result<Self> {
        let cells = if Grid::is_at(folder) {
            Grid::open(folder)?.cells
        } else {
            vec![(BTreeMap::new(), Run::open(folder)?)]
        };
        let cells: Vec<RecordedCell> = cells
            .into_iter()
            .map(|(levels, run)| {
                let samples = run_samples(&run)?;
                let results = results(&run.manifest, &samples)?;
                Ok(RecordedCell {
                    levels,
                    manifest: run.manifest,
                    samples,
                    results,
                })
            })
            .collect::<Result<_>>()?;
        let first = &cells.first().context("the grid has no cell")?.manifest;
        if let Some(other) = cells
            .iter()
            .find(|cell| cell.manifest.machine.id() != first.machine.id())
        {
            bail!(
                "{}: {} was recorded on {}, and {} on {}; a grid compares cells of one machine: record all cells on one",
                folder.display(),
                first.run_id,
                first.machine.id(),
                other.manifest.run_id,
                other.manifest.machine.id()
            );
        }
        Ok(Self {
            experiment: first.experiment.clone(),
            machine: first.machine.described(),
            exhibit: first.plan.as_ref().and_then(|plan| plan.exhibit),
            question: first
                .plan
                .as_ref()
                .map(|plan| plan.question.clone())
                .unwrap_or_default(),
            id: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            cells,
        })
    }

    /// The experiment with other launches. `places` chooses them for each condition of each cell: it takes the number of recorded
    /// launches and returns indices below it.
    ///
    /// # Errors
    /// When an estimate cannot be computed from these launches.
    pub(crate) fn drawn(&self, mut places: impl FnMut(usize) -> Vec<usize>) -> Result<Self> {
        let cells = self
            .cells
            .iter()
            .map(|cell| cell.drawn(&mut places))
            .collect::<Result<_>>()?;
        Ok(Self {
            experiment: self.experiment.clone(),
            question: self.question.clone(),
            exhibit: self.exhibit,
            id: self.id.clone(),
            machine: self.machine.clone(),
            cells,
        })
    }
}

impl RecordedCell {
    /// The cell with other launches, numbered anew, without sequences.
    fn drawn(&self, places: &mut impl FnMut(usize) -> Vec<usize>) -> Result<Self> {
        let mut manifest = self.manifest.clone();
        manifest.launches.clear();
        let mut samples = RunSamples {
            launches: Vec::new(),
            sequences: BTreeMap::new(),
            timelines: Vec::new(),
        };
        for condition in &self.manifest.conditions {
            let recorded = self.samples.launches.iter().zip(&self.samples.timelines);
            let here: Vec<_> = recorded
                .filter(|(launch, _)| launch.condition == condition.name)
                .collect();
            if here.is_empty() {
                continue;
            }
            for (place, number) in places(here.len()).into_iter().zip(1..) {
                let (launch, timeline) = here[place];
                let mut records = self.manifest.launches_in(&condition.name);
                let record = records.find(|record| record.launch == launch.launch);
                let mut record = record.context("a launch without a record")?.clone();
                record.launch = number;
                manifest.launches.push(record);
                samples.launches.push(LaunchSamples {
                    launch: number,
                    ..launch.clone()
                });
                samples.timelines.push(timeline.clone());
            }
        }
        Ok(Self {
            levels: self.levels.clone(),
            results: results(&manifest, &samples)?,
            manifest,
            samples,
        })
    }

    /// Takes out the launch at an index of the samples, and computes the estimates again.
    ///
    /// # Errors
    /// When an estimate cannot be computed without the launch.
    pub(crate) fn take_launch(&mut self, index: usize) -> Result<TakenLaunch> {
        let samples = self.samples.launches.remove(index);
        let timeline = self.samples.timelines.remove(index);
        let mut records = self.manifest.launches.iter();
        let is_this = |record: &LaunchRecord| record.condition == samples.condition && record.launch == samples.launch;
        let place = records.position(is_this).context("a launch without a record")?;
        let record = self.manifest.launches.remove(place);
        let without = results(&self.manifest, &self.samples)?;
        Ok(TakenLaunch {
            index,
            place,
            samples,
            timeline,
            record,
            results: std::mem::replace(&mut self.results, without),
        })
    }

    /// Puts the launch back that [`Self::take_launch`] took, with the estimates of all launches.
    pub(crate) fn put_back(&mut self, taken: TakenLaunch) {
        self.samples.launches.insert(taken.index, taken.samples);
        self.samples.timelines.insert(taken.index, taken.timeline);
        self.manifest.launches.insert(taken.place, taken.record);
        self.results = taken.results;
    }

    /// The level of a factor; empty where the grid does not have it.
    #[must_use]
    pub fn level(&self, factor: &str) -> &str {
        self.levels.get(factor).map_or("", String::as_str)
    }
}
