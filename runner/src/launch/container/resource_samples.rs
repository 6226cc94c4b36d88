//! What containers use and are denied, sampled within each of them: nothing is asked of them while they are measured.

use std::collections::BTreeSet;

use agent::{ContainerRecording, CpuPlacement};
use anyhow::{Context, Result};
use dataset::{Measure, ResourceSample, Subject};
use engines::Image;
use engines::RunningContainers;
use model::{LimitHit, LimitKind, MonitorRecord, RESOURCES_FILE};
use monitor::{INTERVAL, ResourceRecording};

use super::cluster_metrics::Scraping;
use super::measure::Started;
use super::{Job, LOADGEN, NEIGHBOUR, agent_client};
use crate::launch::record::header;
use crate::launch::watch::Seen;

/// Samplers at work.
pub(super) struct Sampling<'a> {
    running: &'a dyn RunningContainers,
    containers: Vec<String>,
}

impl<'a> Sampling<'a> {
    /// Begins in the prober's container, in those of all arms, and in the neighbour's. Each machine is watched by the first
    /// container on it.
    pub(super) fn begin(
        running: &'a dyn RunningContainers,
        (arms, neighbour): (&[Started<'_>], bool),
        prober: &CpuPlacement,
    ) -> Result<Self> {
        let mut machines = BTreeSet::new();
        let prober = (LOADGEN, vec!["--program", Image::LOADGEN], Some(prober));
        let neighbour = neighbour.then(|| (NEIGHBOUR, vec!["--neighbour"], None));
        let arms = arms
            .iter()
            .map(|arm| (&arm.container[..], vec!["--arm", &arm.arm.name], Some(&arm.place)));
        let mut containers = Vec::new();
        for (container, whom, place) in [prober].into_iter().chain(arms).chain(neighbour) {
            let mut words: Vec<String> = whom.into_iter().map(str::to_owned).collect();
            if place.is_some_and(|place| machines.insert(&place.boot_id)) {
                let name = running.placement(container)?.remove("node");
                words.extend(["--node".to_owned(), name.unwrap_or_else(|| "node".to_owned())]);
            }
            agent_client::watch(running, container, &words).context("cannot watch resources; try --no-monitor")?;
            containers.push(container.to_owned());
        }
        Ok(Self { running, containers })
    }

    /// Ends in all of them.
    fn end(self) -> Result<Vec<ContainerRecording>> {
        let asked = self
            .containers
            .iter()
            .map(|container| agent_client::watched(self.running, container));
        asked
            .collect::<Result<_>>()
            .context("cannot watch resources; try --no-monitor")
    }
}

impl Job<'_> {
    /// Ends the sampling, and leaves the table in the launch's folder.
    pub(super) fn sampled(&self, sampling: Sampling<'_>, scraping: Option<Scraping<'_>>) -> Result<Seen> {
        let mut sampled = sampling.end()?;
        let processors: BTreeSet<usize> = sampled.iter().map(|one| one.placement.processor).collect();
        let scraped = scraping.map(Scraping::end).transpose()?;
        // Its two looks lie around the time in which the prober was seen, and what they differ by happened in it.
        let told = scraped.as_ref().map_or(&[][..], |scraped| &scraped.recording.samples);
        let outside = monitor::limit_hits(told);
        sampled.extend(scraped);
        let seen = ResourceRecording::merged(by_one_clock(sampled));
        let header = header(self.run, self.condition, self.owner.launch, self.experiment);
        dataset::write_resources(&self.folder.join(RESOURCES_FILE), &header, &seen.samples)?;
        Ok(Seen {
            hits: Some([monitor::limit_hits(&while_probed(&seen.samples)), outside].concat()),
            record: Some(MonitorRecord {
                interval_ns: u64::try_from(INTERVAL.as_nanos())?,
                samples: seen.rounds,
                cpu: processors.first().copied().filter(|_| processors.len() == 1),
                own_cpu_ns: seen.own_cpu_ns,
                elapsed_ns: seen.elapsed_ns,
                missing: seen.missing,
            }),
        })
    }
}

/// What was sampled, with the limits that were hit. Samples tell what happened while the prober was at work; without them,
/// what the containers' own counts tell stands; a kill is one in any case.
pub(super) fn judged(sampled: Seen, counted: impl Iterator<Item = LimitHit>) -> Seen {
    let Some(mut hits) = sampled.hits else {
        let hits = Some(counted.collect());
        return Seen { hits, ..sampled };
    };
    for kill in counted.filter(|hit| hit.kind == LimitKind::OomKill) {
        let known = |hit: &LimitHit| (&hit.subject, hit.kind) == (&kill.subject, kill.kind);
        if !hits.iter().any(known) {
            hits.push(kill);
        }
    }
    Seen {
        hits: Some(hits),
        ..sampled
    }
}

/// The samples from when the prober was first seen to when it was last seen: what the runner asks of a container before and
/// after uses processor time, too, and may be throttled for it.
fn while_probed(samples: &[ResourceSample]) -> Vec<ResourceSample> {
    let probing =
        |sample: &&ResourceSample| sample.subject == Subject::Loadgen && sample.usage[Measure::Threads].is_some();
    let times_ns = || samples.iter().filter(probing).map(|sample| sample.time_ns);
    let (first, last) = (times_ns().min().unwrap_or(0), times_ns().max().unwrap_or(0));
    if first == last {
        // Too short for that.
        return samples.to_vec();
    }
    let within = samples.iter().filter(|sample| (first..=last).contains(&sample.time_ns));
    within.cloned().collect()
}

/// All samples by the first one's clock, which is the prober's: that of its stamps.
fn by_one_clock(sampled: Vec<ContainerRecording>) -> Vec<ResourceRecording> {
    let Some(first) = sampled.first().cloned() else {
        return Vec::new();
    };
    let by_first = |mut one: ContainerRecording| {
        if one.placement.boot_id != first.placement.boot_id {
            for sample in &mut one.recording.samples {
                sample.time_ns += one.realtime_offset_ns - first.realtime_offset_ns;
            }
        }
        one.recording
    };
    sampled.into_iter().map(by_first).collect()
}

#[cfg(test)]
mod tests {
    use dataset::Usage;

    use super::*;

    #[test]
    fn what_happened_before_the_prober_began_does_not_count() {
        let sample = |subject: Subject, time_ns, measure, value| {
            let mut usage = Usage::default();
            usage[measure] = Some(value);
            ResourceSample {
                time_ns,
                subject,
                usage,
            }
        };
        let prober = |time_ns| sample(Subject::Loadgen, time_ns, Measure::Threads, 1);
        let arm = |time_ns, periods| {
            let arm = Subject::Arm("scan".to_owned());
            sample(arm, time_ns, Measure::ThrottledPeriods, periods)
        };
        let quiet = [arm(0, 3), prober(10), arm(11, 8), arm(19, 8), prober(20), arm(30, 9)];
        assert_eq!(monitor::limit_hits(&while_probed(&quiet)), []);
        let throttled = [prober(10), arm(11, 8), arm(19, 9), prober(20)];
        assert_eq!(monitor::limit_hits(&while_probed(&throttled)).len(), 1);
        let short = [arm(0, 3), prober(10), arm(30, 9)];
        assert_eq!(while_probed(&short).len(), 3);
    }

    #[test]
    fn only_another_kernels_clock_is_converted() {
        let sampled = |boot_id: &str, realtime_offset_ns| ContainerRecording {
            recording: ResourceRecording {
                samples: vec![ResourceSample {
                    time_ns: 1_000,
                    subject: Subject::Loadgen,
                    usage: Usage::default(),
                }],
                ..ResourceRecording::default()
            },
            placement: CpuPlacement {
                processor: 0,
                boot_id: boot_id.to_owned(),
            },
            realtime_offset_ns,
        };
        // The same kernel's offset is known twice, and not to the nanosecond.
        let converted = by_one_clock(vec![sampled("a", 50), sampled("a", 51), sampled("b", 80)]);
        let times: Vec<i64> = converted.iter().map(|one| one.samples[0].time_ns).collect();
        assert_eq!(times, [1_000, 1_000, 1_030]);
    }
}
