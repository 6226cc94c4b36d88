//! Samples of the resources that containers use and of the limits that they hit. A sampler runs in each container, so
//! the runner sends no request to a container during the measurement.

use std::collections::BTreeSet;

use agent::{ContainerRecording, CpuPlacement};
use anyhow::{Context as _, Result};
use engines::Image;
use engines::RunningContainers;
use model::{Measure, ResourceSample, ResourceSubject};
use monitor::ResourceRecording;

use super::agent_client;
use super::cluster_metrics::MetricsScrape;
use crate::launch::backend::{NO_MONITOR, WatchedResources};
use crate::launch::process::LOAD_GENERATOR;
use crate::launch::process::LaunchProcess;

/// A container whose resources are sampled.
pub(super) struct Sampled<'a> {
    pub(super) container: String,
    /// The option that names the sampler's subject, and its value.
    pub(super) flag: [&'a str; 2],
    /// Processor and machine, if they are known.
    pub(super) place: Option<&'a CpuPlacement>,
}

/// The running samplers of a launch.
pub(super) struct Sampling<'a> {
    running: &'a dyn RunningContainers,
    containers: Vec<String>,
}

impl<'a> Sampling<'a> {
    /// Starts samplers in the containers of the load generator, of all servers, and of the neighbour. The first
    /// container on each machine also samples the machine.
    ///
    /// # Errors
    /// If a sampler cannot be started.
    pub(super) fn begin<'b>(
        running: &'a dyn RunningContainers,
        load_generator: &'b CpuPlacement,
        servers: impl Iterator<Item = Sampled<'b>>,
        neighbour: bool,
    ) -> Result<Self> {
        let mut machines = BTreeSet::new();
        let load_generator = Sampled {
            container: LOAD_GENERATOR.to_owned(),
            flag: ["--program", Image::LOADGEN],
            place: Some(load_generator),
        };
        let mut containers = Vec::new();
        for sampled in [load_generator].into_iter().chain(servers) {
            let mut words = sampled.flag.map(str::to_owned).to_vec();
            if sampled.place.is_some_and(|place| machines.insert(&place.boot_id)) {
                let name = running.placement(&sampled.container)?.remove("node");
                words.extend(["--node".to_owned(), name.unwrap_or_else(|| "node".to_owned())]);
            }
            agent_client::watch(running, &sampled.container, &words).context(NO_MONITOR)?;
            containers.push(sampled.container);
        }
        if neighbour {
            let container = LaunchProcess::Neighbour.to_string();
            agent_client::watch(running, &container, &["--neighbour".to_owned()]).context(NO_MONITOR)?;
            containers.push(container);
        }
        Ok(Self { running, containers })
    }

    /// Ends the sampling in all containers.
    fn end(self) -> Result<Vec<ContainerRecording>> {
        let containers = self.containers.iter();
        let sampled = containers.map(|container| agent_client::watched(self.running, container));
        sampled.collect::<Result<_>>().context(NO_MONITOR)
    }
}

/// Ends the sampling and returns all samples.
///
/// # Errors
/// If a sampler failed.
pub(super) fn watched(sampling: Sampling<'_>, scraping: Option<MetricsScrape<'_>>) -> Result<WatchedResources> {
    let mut sampled = sampling.end()?;
    let processors: BTreeSet<usize> = sampled.iter().map(|one| one.placement.processor).collect();
    let scraped = scraping.map(MetricsScrape::end).transpose()?;
    // The cluster's metrics are read once before and once after the load generator works. Their difference therefore
    // belongs to that time.
    let looks = scraped.as_ref().map_or(&[][..], |scraped| &scraped.recording.samples);
    let outside = monitor::limit_hits(looks);
    sampled.extend(scraped);
    let recording = ResourceRecording::merged(by_one_clock(sampled));
    Ok(WatchedResources {
        hits: [monitor::limit_hits(&while_loaded(&recording.samples)), outside].concat(),
        processor: processors.first().copied().filter(|_| processors.len() == 1),
        recording,
    })
}

/// Returns the samples from the time in which the load generator ran. The runner's own commands in a container, before
/// and after that time, use processor time too and can be throttled.
fn while_loaded(samples: &[ResourceSample]) -> Vec<ResourceSample> {
    let loading = |sample: &&ResourceSample| {
        sample.subject == ResourceSubject::Loadgen && sample.usage[Measure::Threads].is_some()
    };
    let times_ns = || samples.iter().filter(loading).map(|sample| sample.time_ns);
    let (first, last) = (times_ns().min().unwrap_or(0), times_ns().max().unwrap_or(0));
    if first == last {
        // The load generator ran for less than two samples.
        return samples.to_vec();
    }
    let within = samples.iter().filter(|sample| (first..=last).contains(&sample.time_ns));
    within.cloned().collect()
}

/// Converts the times of all samples to the clock of the first recording, which is the clock of the load generator's
/// stamps.
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
    use model::Usage;

    use super::*;

    #[test]
    fn limits_hit_before_the_load_began_do_not_count() {
        let sample = |subject: ResourceSubject, time_ns, measure, value| {
            let mut usage = Usage::default();
            usage[measure] = Some(value);
            ResourceSample {
                time_ns,
                subject,
                usage,
            }
        };
        let load_generator = |time_ns| sample(ResourceSubject::Loadgen, time_ns, Measure::Threads, 1);
        let arm = |time_ns, periods| {
            let arm = ResourceSubject::Arm("scan".to_owned());
            sample(arm, time_ns, Measure::ThrottledPeriods, periods)
        };
        let quiet = [
            arm(0, 3),
            load_generator(10),
            arm(11, 8),
            arm(19, 8),
            load_generator(20),
            arm(30, 9),
        ];
        assert_eq!(monitor::limit_hits(&while_loaded(&quiet)), []);
        let throttled = [load_generator(10), arm(11, 8), arm(19, 9), load_generator(20)];
        assert_eq!(monitor::limit_hits(&while_loaded(&throttled)).len(), 1);
        let short = [arm(0, 3), load_generator(10), arm(30, 9)];
        assert_eq!(while_loaded(&short).len(), 3);
    }

    #[test]
    fn only_the_clock_of_another_kernel_is_converted() {
        let sampled = |boot_id: &str, realtime_offset_ns| ContainerRecording {
            recording: ResourceRecording {
                samples: vec![ResourceSample {
                    time_ns: 1_000,
                    subject: ResourceSubject::Loadgen,
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
