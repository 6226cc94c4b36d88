//! The cluster's metrics of an application's pods, before the first request and after the last.

use std::thread;
use std::time::{Duration, Instant};

use agent::{ContainerRecording, CpuPlacement};
use anyhow::Result;
use engines::EngineError;
use model::{ResourceSample, ResourceSubject};
use monitor::ResourceRecording;
use monitor::cadvisor::{MetricScope, parse};
use provisioning::application::ApplicationCopies;

/// Longest wait for the kubelet's next sample. It takes one every ten to twenty seconds.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN: Duration = Duration::from_secs(1);

/// The samples at the beginning, and the subjects to sample again at the end.
pub(super) struct MetricsScrape<'a> {
    copies: &'a ApplicationCopies,
    subjects: Vec<(ResourceSubject, MetricScope)>,
    begin: ResourceRecording,
}

impl<'a> MetricsScrape<'a> {
    /// Waits for the kubelet's next sample. A cluster without metrics is no error: the recording has the reason for the missing
    /// columns.
    ///
    /// # Errors
    /// If a signal came.
    pub(super) fn begin(copies: &'a ApplicationCopies, subjects: Vec<(ResourceSubject, MetricScope)>) -> Result<Self> {
        let begin = next_look(copies, &subjects)?;
        Ok(Self {
            copies,
            subjects,
            begin,
        })
    }

    /// Waits for the next sample after the load and returns both samples. Their clock is the node's, since the epoch.
    ///
    /// # Errors
    /// If a signal came.
    pub(super) fn end(self) -> Result<ContainerRecording> {
        let mut recording = self.begin;
        if !recording.samples.is_empty() {
            let end = next_look(self.copies, &self.subjects)?;
            recording = if end.samples.is_empty() {
                // A count without its value at the other end has no meaning.
                end
            } else {
                ResourceRecording::merged([recording, end])
            };
        }
        Ok(ContainerRecording {
            recording,
            placement: CpuPlacement {
                processor: 0,
                boot_id: String::new(),
            },
            realtime_offset_ns: 0,
        })
    }
}

/// Returns the kubelet's next sample of all subjects: its current sample may be older than the last request.
fn next_look(copies: &ApplicationCopies, subjects: &[(ResourceSubject, MetricScope)]) -> Result<ResourceRecording> {
    let begin = Instant::now();
    let mut first: Option<ResourceRecording> = None;
    loop {
        let now = match copies.metrics() {
            Ok(text) => parse(&text, subjects),
            Err(EngineError::Stopped) => return Err(EngineError::Stopped.into()),
            Err(error) => return Ok(untold(subjects, &error.to_string())),
        };
        if first.as_ref().is_some_and(|first| looked_since(first, &now)) {
            return Ok(now);
        }
        if begin.elapsed() > PATIENCE {
            let reason = format!("the kubelet did not sample all pods within {} s", PATIENCE.as_secs());
            return Ok(untold(subjects, &reason));
        }
        first.get_or_insert(now);
        thread::sleep(BETWEEN);
    }
}

/// Returns true if all subjects have a newer sample than in an earlier answer.
fn looked_since(before: &ResourceRecording, now: &ResourceRecording) -> bool {
    let newer = |sample: &ResourceSample| {
        let earlier = before.samples.iter().find(|other| other.subject == sample.subject);
        earlier.is_some_and(|earlier| earlier.time_ns < sample.time_ns)
    };
    !now.samples.is_empty() && before.samples.len() == now.samples.len() && now.samples.iter().all(newer)
}

/// Returns a recording without samples, with one reason for all missing columns.
fn untold(subjects: &[(ResourceSubject, MetricScope)], reason: &str) -> ResourceRecording {
    let mut nothing = parse("", subjects);
    for missing in &mut nothing.missing {
        reason.clone_into(&mut missing.reason);
    }
    nothing
}
