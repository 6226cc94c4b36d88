//! Samples all sources ten times a second on a thread of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::{Measure, MissingColumns, ResourceSample, ResourceSubject, Usage};
use nix::time::{ClockId, clock_gettime};

use crate::recording::ResourceRecording;
use crate::source::{UsageReading, UsageSource};

/// Time between two samples.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// A subject and its sources.
pub struct MonitoredSubject {
    /// The subject.
    pub subject: ResourceSubject,
    /// The sources, in the order in which they are read. Each source sees the values that earlier sources have set.
    pub sources: Vec<Box<dyn UsageSource>>,
}

impl fmt::Debug for MonitoredSubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("MonitoredSubject").field(&self.subject).finish()
    }
}

/// A running sampling thread. Dropping the value ends the thread without a result.
#[derive(Debug)]
pub struct Monitor {
    stop: Sender<()>,
    thread: JoinHandle<ResourceRecording>,
}

impl Monitor {
    /// Starts the sampling thread and returns after the first sample. `prepare` runs first on that thread, to confine it to
    /// the processor where it disturbs least.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(subjects: Vec<MonitoredSubject>, prepare: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (ready, begun) = mpsc::channel();
        let thread = thread::Builder::new().name("monitor".to_owned()).spawn(move || {
            prepare();
            let mut sampler = Sampler::new(subjects);
            sampler.sample();
            _ = ready.send(());
            let start = Instant::now();
            for number in 1.. {
                // The due time is counted from the start, so that a late sample does not delay the following ones.
                let due = INTERVAL.saturating_mul(number).saturating_sub(start.elapsed());
                match stopped.recv_timeout(due) {
                    Err(RecvTimeoutError::Timeout) => sampler.sample(),
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            sampler.sample();
            sampler.finish()
        })?;
        // An error means that the thread has panicked, which `finish` reports.
        _ = begun.recv();
        Ok(Self { stop, thread })
    }

    /// Takes the last sample, ends the thread and returns the recording.
    ///
    /// # Errors
    /// When the sampling thread has panicked.
    pub fn finish(self) -> io::Result<ResourceRecording> {
        _ = self.stop.send(());
        self.thread
            .join()
            .map_err(|_| io::Error::other("the thread that samples resources has panicked"))
    }
}

/// `Ok` if a column has a value, otherwise the first reason why it has no value, if a source gave one.
type ColumnState = Result<(), Option<String>>;

struct Sampler {
    subjects: Vec<MonitoredSubject>,
    recording: ResourceRecording,
    /// By kind of subject and column.
    columns: BTreeMap<(&'static str, Measure), ColumnState>,
}

impl Sampler {
    fn new(subjects: Vec<MonitoredSubject>) -> Self {
        Self {
            subjects,
            recording: ResourceRecording::default(),
            columns: BTreeMap::new(),
        }
    }

    fn sample(&mut self) {
        self.recording.rounds += 1;
        for MonitoredSubject { subject, sources } in &mut self.subjects {
            let mut reading = UsageReading::default();
            let time_ns = now_ns(ClockId::CLOCK_MONOTONIC);
            sources.retain_mut(|source| source.read(&mut reading));
            for &measure in Measure::ALL {
                let column = self.columns.entry((subject.kind(), measure)).or_insert(Err(None));
                if reading.usage[measure].is_some() {
                    *column = Ok(());
                } else if *column == Err(None) {
                    *column = Err(reading.reason(measure).map(str::to_owned));
                }
            }
            if reading.usage != Usage::default() {
                self.recording.samples.push(ResourceSample {
                    time_ns,
                    subject: subject.clone(),
                    usage: reading.usage,
                });
            }
        }
    }

    fn finish(mut self) -> ResourceRecording {
        let mut missing: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
        for ((kind, measure), state) in self.columns {
            if let Err(reason) = state {
                let reason = reason.unwrap_or_else(|| "no source has it".to_owned());
                let columns = missing.entry((kind, reason)).or_default();
                columns.push(measure.column().to_owned());
            }
        }
        let missing = missing.into_iter().map(|((kind, reason), columns)| MissingColumns {
            kind: kind.to_owned(),
            columns,
            reason,
        });
        self.recording.missing = missing.collect();
        if let [first, .., last] = &self.recording.samples[..] {
            self.recording.elapsed_ns = (last.time_ns - first.time_ns).unsigned_abs();
        }
        self.recording.own_cpu_ns = now_ns(ClockId::CLOCK_THREAD_CPUTIME_ID).unsigned_abs();
        self.recording
    }
}

fn now_ns(clock: ClockId) -> i64 {
    // Linux always has both clocks.
    clock_gettime(clock).map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that has a value for this many samples and then ends.
    struct Counting(i64);

    impl UsageSource for Counting {
        fn read(&mut self, reading: &mut UsageReading) -> bool {
            self.0 -= 1;
            if self.0 < 0 {
                return false;
            }
            reading.set(Measure::Threads, self.0);
            reading.set_missing(&[Measure::CpuNs, Measure::Threads], "it only counts");
            true
        }
    }

    fn monitored(subject: ResourceSubject, samples: i64) -> MonitoredSubject {
        MonitoredSubject {
            subject,
            sources: vec![Box::new(Counting(samples))],
        }
    }

    #[test]
    fn the_beginning_and_the_end_are_sampled() {
        let arm = ResourceSubject::Arm("scan".to_owned());
        let monitor = Monitor::start(
            vec![monitored(arm.clone(), i64::MAX), monitored(ResourceSubject::Loadgen, 1)],
            || {},
        );
        let seen = monitor.expect("a thread").finish().expect("it ends");
        let of = |subject| seen.samples.iter().filter(|sample| sample.subject == subject).count();
        assert!(of(arm) >= 2, "{seen:?}");
        // A subject that has ended has no further rows.
        assert_eq!(of(ResourceSubject::Loadgen), 1);
        let missing = seen
            .missing
            .iter()
            .find(|missing| missing.kind == "arm" && missing.reason == "it only counts");
        assert_eq!(missing.expect("listed").columns, ["cpu_ns"]);
        let others = seen.missing.iter().find(|missing| missing.reason == "no source has it");
        assert_eq!(others.expect("listed").columns.len(), Measure::ALL.len() - 2);
    }
}
