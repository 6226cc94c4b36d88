//! The record of the resources that a launch used and the limits that it hit, and the table of samples.

use std::collections::BTreeMap;

use anyhow::Result;
use model::{
    Arrivals, Experiment, LimitHit, LimitKind, Measure, MonitorRecord, RESOURCES_FILE, ResourceSample, ResourceSubject,
    Schedule, ServerUnderTest,
};
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
                arms_wait_share: work_in_turn(launch.experiment)
                    .then(|| arms_wait_share(&samples.samples))
                    .flatten(),
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

/// Returns whether each server is idle while another one works, so that none waits for a CPU on an undisturbed machine. Other
/// servers than the project's own have several threads, and proxies share the CPU with their server.
fn work_in_turn(experiment: &Experiment) -> bool {
    let own = matches!(&experiment.sut, ServerUnderTest::Synthetic(server) if server.threads == 1);
    own && experiment.proxies.is_empty()
        && experiment.load.arrivals == Arrivals::Closed
        && experiment.load.schedule != Schedule::Duet
}

/// Returns the share of the time for which servers were runnable without a CPU, summed over them. `None` if the time of a
/// server is not known.
#[expect(clippy::cast_precision_loss, reason = "times far below 2^52 ns")]
fn arms_wait_share(samples: &[ResourceSample]) -> Option<f64> {
    let mut ends: BTreeMap<&str, (&ResourceSample, &ResourceSample)> = BTreeMap::new();
    for sample in samples {
        if let ResourceSubject::Arm(name) = &sample.subject {
            ends.entry(name).or_insert((sample, sample)).1 = sample;
        }
    }
    let shares = ends.values().map(|(first, last)| {
        let wait_ns = |sample: &ResourceSample| sample.usage[Measure::RunQueueWaitNs];
        let waited_ns = (wait_ns(last)? - wait_ns(first)?) as f64;
        let elapsed_ns = last.time_ns - first.time_ns;
        (elapsed_ns > 0).then_some(waited_ns / elapsed_ns as f64)
    });
    let shares = shares.collect::<Option<Vec<f64>>>()?;
    (!shares.is_empty()).then(|| shares.iter().sum())
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
