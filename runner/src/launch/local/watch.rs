//! Samples the use of resources and the hits of limits by servers, load generator and machine while the load generator
//! works.

use anyhow::{Context, Result};
use model::{Measure, ResourceSubject};
use monitor::{ControlGroup, Monitor, MonitoredSubject, NodeSource, ProcessSource, UsageReading, UsageSource};

use super::spec::LaunchSpec;
use crate::launch::backend::{NO_MONITOR, WatchedResources};
use crate::launch::local::process_set::cpu_ns;

/// A sampling thread.
pub(crate) struct Watch {
    monitor: Monitor,
    cpu: usize,
}

impl Watch {
    /// Begins to sample. `arms` and `loadgen` are ids of processes. Returns `None` unless sampling is `wanted`.
    ///
    /// # Errors
    /// If the sampling thread cannot be started.
    pub(crate) fn start<'a>(
        spec: &LaunchSpec,
        wanted: bool,
        arms: impl Iterator<Item = (&'a str, u32)>,
        loadgen: u32,
    ) -> Result<Option<Self>> {
        if !wanted {
            return Ok(None);
        }
        let mut watched: Vec<MonitoredSubject> = arms
            .map(|(name, pid)| of_process(ResourceSubject::Arm(name.to_owned()), spec.groups.arms.get(name), pid))
            .collect();
        watched.push(of_process(
            ResourceSubject::Loadgen,
            spec.groups.loadgen.as_ref(),
            loadgen,
        ));
        // Only the control group knows all processes of the neighbour.
        watched.extend(spec.groups.neighbour.as_ref().map(|group| MonitoredSubject {
            subject: ResourceSubject::Neighbour,
            sources: vec![Box::new(group.clone()), Box::new(Members(group.clone()))],
        }));
        watched.push(MonitoredSubject {
            subject: ResourceSubject::Node("node".to_owned()),
            sources: vec![Box::new(NodeSource)],
        });
        let cpu = spec.cpus.monitor;
        let monitor = Monitor::start(watched, move || {
            // A sampler that cannot be moved still samples; its processor time is recorded.
            _ = isolation::pin_to_cpu(cpu);
            _ = isolation::use_idle_scheduling();
        });
        let monitor = monitor.context(NO_MONITOR)?;
        Ok(Some(Self { monitor, cpu }))
    }

    /// Ends the sampling and returns the samples.
    ///
    /// # Errors
    /// If the sampling thread failed.
    pub(crate) fn finish(self) -> Result<WatchedResources> {
        let recording = self.monitor.finish().context(NO_MONITOR)?;
        Ok(WatchedResources {
            hits: monitor::limit_hits(&recording.samples),
            processor: Some(self.cpu),
            recording,
        })
    }
}

/// The processor time of all processes in a group, for kernels that do not keep it with the group's quota. Processes that
/// have ended are not counted.
struct Members(ControlGroup);

impl UsageSource for Members {
    fn read(&mut self, reading: &mut UsageReading) -> bool {
        if reading.usage[Measure::CpuNs].is_none() {
            let times_ns = self.0.processes().into_iter().filter_map(cpu_ns);
            reading.set(Measure::CpuNs, times_ns.sum::<u64>());
        }
        true
    }
}

/// A process with its group. The group is read first, because it is more exact.
fn of_process(subject: ResourceSubject, group: Option<&ControlGroup>, pid: u32) -> MonitoredSubject {
    let mut sources: Vec<Box<dyn UsageSource>> = Vec::new();
    if let Some(group) = group {
        sources.push(Box::new(group.clone()));
    }
    // A process that has ended is reported by the thread that waits for it.
    if let Ok(process) = ProcessSource::new(pid) {
        sources.push(Box::new(process));
    }
    MonitoredSubject { subject, sources }
}
