//! Watches what a launch's servers, the prober and this machine use and are denied, while the prober measures.

use anyhow::{Context, Result};
use dataset::{FileHeader, Measure, Subject};
use model::{LimitHit, LimitKind, MonitorRecord, RESOURCES_FILE};
use monitor::{
    ControlGroup, INTERVAL, Monitor, MonitoredSubject, NodeSource, ProcessSource, UsageReading, UsageSource,
};

use crate::launch::local::process_set::cpu_ns;
use crate::launch::spec::LaunchSpec;

/// Sampling that goes on.
pub(crate) struct Watch {
    monitor: Monitor,
    cpu: usize,
}

/// What was seen of a launch.
#[derive(Default)]
pub(crate) struct Seen {
    /// None where resources were not watched.
    pub(crate) record: Option<MonitorRecord>,
    /// The same.
    pub(crate) hits: Option<Vec<LimitHit>>,
}

impl Seen {
    /// Whether a process of this subject was killed for want of memory.
    pub(crate) fn killed(&self, subject: &str) -> bool {
        self.hits
            .iter()
            .flatten()
            .any(|hit| hit.kind == LimitKind::OomKill && hit.subject == subject)
    }

    /// For the launch's warnings.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let hits = self.hits.iter().flatten();
        hits.map(|hit| format!("{}: {}", hit.subject, hit.what)).collect()
    }
}

impl Watch {
    /// Begins; `arms` and `loadgen` are processes as /proc has them. `None` where the experiment wants no watching.
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
            .map(|(name, pid)| of_process(Subject::Arm(name.to_owned()), spec.groups.arms.get(name), pid))
            .collect();
        watched.push(of_process(Subject::Loadgen, spec.groups.loadgen.as_ref(), loadgen));
        // Only its group knows all its processes.
        watched.extend(spec.groups.neighbour.as_ref().map(|group| MonitoredSubject {
            subject: Subject::Neighbour,
            sources: vec![Box::new(group.clone()), Box::new(Members(group.clone()))],
        }));
        watched.push(MonitoredSubject {
            subject: Subject::Node("node".to_owned()),
            sources: vec![Box::new(NodeSource)],
        });
        let cpu = spec.cpus.monitor;
        let monitor = Monitor::start(watched, move || {
            // Where it cannot be kept apart it still samples; what it costs is recorded.
            _ = isolation::pin_to_cpu(cpu);
            _ = isolation::use_idle_scheduling();
        });
        let monitor = monitor.context("cannot watch resources; try --no-monitor")?;
        Ok(Some(Self { monitor, cpu }))
    }

    /// Ends, and leaves the table in the launch's folder.
    pub(crate) fn finish(self, spec: &LaunchSpec, header: &FileHeader) -> Result<Seen> {
        let seen = self
            .monitor
            .finish()
            .context("cannot watch resources; try --no-monitor")?;
        dataset::write_resources(&spec.folder.join(RESOURCES_FILE), header, &seen.samples)?;
        Ok(Seen {
            hits: Some(monitor::limit_hits(&seen.samples)),
            record: Some(MonitorRecord {
                interval_ns: u64::try_from(INTERVAL.as_nanos())?,
                samples: seen.rounds,
                cpu: Some(self.cpu),
                own_cpu_ns: seen.own_cpu_ns,
                elapsed_ns: seen.elapsed_ns,
                missing: seen.missing,
            }),
        })
    }
}

/// The processor time of all that is in a group, where the kernel does not keep it with the group's quota. What has ended is
/// not counted.
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

/// A process with its group, which is asked first: what it knows is more exact.
fn of_process(subject: Subject, group: Option<&ControlGroup>, pid: u32) -> MonitoredSubject {
    let mut sources: Vec<Box<dyn UsageSource>> = Vec::new();
    if let Some(group) = group {
        sources.push(Box::new(group.clone()));
    }
    // One that has ended already is told by whoever waits for it.
    if let Ok(process) = ProcessSource::new(pid) {
        sources.push(Box::new(process));
    }
    MonitoredSubject { subject, sources }
}
