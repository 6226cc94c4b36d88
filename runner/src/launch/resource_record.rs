//! The record of the resources that a launch used and the limits that it hit, and the table of samples.

use anyhow::Result;
use model::{LimitHit, LimitKind, MonitorRecord, RESOURCES_FILE};
use monitor::INTERVAL;

use super::backend::WatchedResources;
use super::context::Launch;

/// The part of a launch's record about resources.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ResourceRecord {
    /// `None` if resources were not watched.
    pub(crate) monitor: Option<MonitorRecord>,
    /// `None` if nothing counted hits.
    pub(crate) hits: Option<Vec<LimitHit>>,
}

impl ResourceRecord {
    /// Writes the samples into the launch's folder and returns their record.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub(crate) fn write(launch: &Launch<'_>, watched: Option<WatchedResources>) -> Result<Self> {
        let Some(watched) = watched else {
            return Ok(Self::default());
        };
        let samples = watched.recording;
        dataset::write_resources(&launch.folder.join(RESOURCES_FILE), &launch.header(), &samples.samples)?;
        Ok(Self {
            hits: Some(watched.hits),
            monitor: Some(MonitorRecord {
                interval_ns: u64::try_from(INTERVAL.as_nanos())?,
                samples: samples.rounds,
                cpu: watched.processor,
                own_cpu_ns: samples.own_cpu_ns,
                elapsed_ns: samples.elapsed_ns,
                missing: samples.missing,
            }),
        })
    }

    /// Returns true if a process of this subject was killed because memory ran out.
    pub(crate) fn killed(&self, subject: &str) -> bool {
        let mut hits = self.hits.iter().flatten();
        hits.any(|hit| hit.kind == LimitKind::OomKill && hit.subject == subject)
    }

    /// Returns the text of each hit, for the launch's warnings.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.hits.iter().flatten().map(ToString::to_string).collect()
    }
}

/// Returns the hits of a launch. They come from the samples of the time in which the load generator worked. Without
/// samples they come from the counts of control groups. A kill is included in any case.
pub(crate) fn merge_hits(
    sampled: Option<Vec<LimitHit>>,
    counted: impl IntoIterator<Item = Option<Vec<LimitHit>>>,
) -> Option<Vec<LimitHit>> {
    let counted = counted.into_iter().flatten().reduce(|all, more| [all, more].concat());
    let Some(mut hits) = sampled else {
        return counted;
    };
    for kill in counted
        .into_iter()
        .flatten()
        .filter(|hit| hit.kind == LimitKind::OomKill)
    {
        let known = |hit: &LimitHit| (&hit.subject, hit.kind) == (&kill.subject, kill.kind);
        if !hits.iter().any(known) {
            hits.push(kill);
        }
    }
    Some(hits)
}
