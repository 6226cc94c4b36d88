//! The cluster's metrics of an application's pods, before the first request and after the last.

use std::thread;
use std::time::{Duration, Instant};

use agent::{ContainerRecording, CpuPlacement};
use anyhow::Result;
use engines::EngineError;
use model::ResourceSubject;
use monitor::ResourceRecording;
use monitor::cadvisor::{MetricScope, latest_reading_ns, parse};
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
    let mut first: Option<Vec<Option<i64>>> = None;
    loop {
        let text = match copies.metrics() {
            Ok(text) => text,
            Err(EngineError::Stopped) => return Err(EngineError::Stopped.into()),
            Err(error) => return Ok(untold(subjects, &error.to_string())),
        };
        let now = parse(&text, subjects);
        if first.as_ref().is_some_and(|first| is_newer(&now, first)) {
            return Ok(now);
        }
        if begin.elapsed() > PATIENCE {
            let reason = format!("the kubelet did not sample all pods within {} s", PATIENCE.as_secs());
            return Ok(untold(subjects, &reason));
        }
        let latest = || subjects.iter().map(|(_, scope)| latest_reading_ns(&text, scope));
        first.get_or_insert_with(|| latest().collect());
        thread::sleep(BETWEEN);
    }
}

/// Returns true if a recording has a sample of each subject, and each sample is newer than the latest reading of its subject in an
/// earlier answer. A sample is as old as the earliest of its readings.
fn is_newer(now: &ResourceRecording, before: &[Option<i64>]) -> bool {
    let mut pairs = now.samples.iter().zip(before);
    now.samples.len() == before.len()
        && pairs.all(|(sample, latest)| latest.is_some_and(|latest| latest < sample.time_ns))
}

/// Returns a recording without samples, with one reason for all missing columns.
fn untold(subjects: &[(ResourceSubject, MetricScope)], reason: &str) -> ResourceRecording {
    let mut nothing = parse("", subjects);
    for missing in &mut nothing.missing {
        reason.clone_into(&mut missing.reason);
    }
    nothing
}
