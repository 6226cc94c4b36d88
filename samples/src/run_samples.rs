//! The samples of all launches of a run.

use std::collections::BTreeMap;

use analysis::LaunchSamples;
use analysis::figures::Thinned;
use dataset::Run;
use model::LaunchRecord;
use model::LimitKind;
use rayon::prelude::*;

use crate::error::SamplesError;
use crate::fold::FoldSettings;
use crate::launch_timeline::LaunchTimeline;
use crate::observed_launch::ObservedLaunch;

/// Number of columns to which a sequence is thinned. At print resolution a figure has fewer pixels than columns.
const COLUMNS: usize = 1_200;

/// The samples of a run, from one pass over its files.
#[derive(Debug)]
pub struct RunSamples {
    /// One entry for each launch. The launches of a condition are adjacent, and the conditions have the order of the
    /// manifest.
    pub launches: Vec<LaunchSamples>,
    /// The thinned sequence of RTTs of each arm in the first launch, µs, warm-up included; by condition.
    pub sequences: BTreeMap<String, Vec<(String, Thinned)>>,
    /// The timeline of each launch, in the order of `launches`.
    pub timelines: Vec<LaunchTimeline>,
}

impl RunSamples {
    /// Returns the launches of a condition.
    #[must_use]
    pub fn launches_in(&self, condition: &str) -> &[LaunchSamples] {
        let is_here = |launch: &LaunchSamples| launch.condition == condition;
        let first = self.launches.iter().position(is_here).unwrap_or(self.launches.len());
        let after = self.launches.iter().rposition(is_here).map_or(first, |last| last + 1);
        &self.launches[first..after]
    }

    /// Returns the launches of a condition, each as its number and its timeline.
    pub fn timelines_in(&self, condition: &str) -> impl Iterator<Item = (u32, &LaunchTimeline)> {
        let pairs = self.launches.iter().zip(&self.timelines);
        pairs
            .filter(move |(launch, _)| launch.condition == condition)
            .map(|(launch, timeline)| (launch.launch, timeline))
    }
}

/// Reads a run. Launches are read on all processors; each reader holds one row group at a time, so that the memory
/// depends on the number of distinct times and not on the number of requests. The result does not depend on the number
/// of processors. A launch is left out if memory ran out and an arm's process was killed before the end of the
/// warm-up.
///
/// # Errors
/// When a file is missing, damaged or empty.
pub fn run_samples(run: &Run) -> Result<RunSamples, SamplesError> {
    let manifest = &run.manifest;
    let rank = |launch: &LaunchRecord| {
        let mut conditions = manifest.conditions.iter();
        conditions.position(|condition| condition.name == launch.condition)
    };
    let mut launches: Vec<&LaunchRecord> = manifest.launches.iter().collect();
    launches.sort_by_key(|launch| rank(launch));
    let is_first = |index: usize| index == 0 || launches[index - 1].condition != launches[index].condition;
    let settings = FoldSettings::of(manifest);
    let read: Vec<Option<ObservedLaunch>> = launches
        .par_iter()
        .enumerate()
        .map(|(index, launch)| {
            let columns = is_first(index).then_some(COLUMNS);
            let observed = ObservedLaunch::read(
                &run.directory.join(&launch.files.observations),
                launch,
                &settings,
                columns,
            )?;
            Ok(Some(observed).filter(|observed| !(was_killed(launch) && lacks_an_arm(observed))))
        })
        .collect::<Result<_, SamplesError>>()?;
    let mut samples = RunSamples {
        launches: Vec::new(),
        sequences: BTreeMap::new(),
        timelines: Vec::new(),
    };
    for launch in read.into_iter().flatten() {
        if !launch.sequences.is_empty() {
            let condition = launch.samples.condition.clone();
            samples.sequences.insert(condition, launch.sequences);
        }
        samples.launches.push(launch.samples);
        samples.timelines.push(launch.timeline);
    }
    Ok(samples)
}

/// Returns true if a process of the launch was killed because memory ran out.
fn was_killed(launch: &LaunchRecord) -> bool {
    let mut hits = launch.limit_hits.iter().flatten();
    hits.any(|hit| hit.kind == LimitKind::OomKill)
}

/// Returns true if an arm has no observation after the warm-up.
fn lacks_an_arm(observed: &ObservedLaunch) -> bool {
    observed.samples.arms.values().any(|arm| arm.rtt.is_empty())
}
