//! Samples all sources ten times a second on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dataset::{Measure, ResourceSample, Subject};
use model::MissingColumns;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::source::{Reading, Source};

/// Time between two samples.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// One subject and where to read what of it. A later source may see what an earlier one found.
pub struct Watched {
    /// Whose resources they are.
    pub subject: Subject,
    /// In order.
    pub sources: Vec<Box<dyn Source>>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Watched").field(&self.subject).finish()
    }
}

/// Sampling that goes on. Dropped, it ends without a result.
#[derive(Debug)]
pub struct Monitor {
    stop: Sender<()>,
    thread: JoinHandle<Watching>,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watching {
    /// In the order of time; the first and the last sample of a subject are from the beginning and the end.
    pub samples: Vec<ResourceSample>,
    /// Rounds of sampling.
    pub rounds: u64,
    /// Columns without any value, and why.
    pub missing: Vec<MissingColumns>,
    /// CPU time of the sampling thread, ns.
    pub own_cpu_ns: u64,
    /// From the first to the last sample, ns.
    pub elapsed_ns: u64,
}

impl Watching {
    /// What several samplers saw at the same time, as if it had been one: a column is missing where none of them had it.
    #[must_use]
    pub fn together(all: impl IntoIterator<Item = Self>) -> Self {
        let mut together = Self::default();
        for one in all {
            together.samples.extend(one.samples);
            together.rounds = together.rounds.max(one.rounds);
            together.own_cpu_ns += one.own_cpu_ns;
            together.elapsed_ns = together.elapsed_ns.max(one.elapsed_ns);
            together.missing.extend(one.missing);
        }
        together.samples.sort_by_key(|sample| sample.time_ns);
        let mut listed = BTreeSet::new();
        for MissingColumns { kind, columns, .. } in &mut together.missing {
            columns.retain(|column| {
                let measures = Measure::ALL.into_iter().filter(|measure| measure.column() == column);
                let of_kind = || together.samples.iter().filter(|sample| sample.subject.kind() == kind);
                let seen = measures
                    .into_iter()
                    .any(|measure| of_kind().any(|sample| sample.usage[measure].is_some()));
                !seen && listed.insert((kind.clone(), column.clone()))
            });
        }
        together.missing.retain(|missing| !missing.columns.is_empty());
        together
    }
}

impl Monitor {
    /// Begins; returns when the first sample has been taken. `prepare` runs first on the sampling thread, to put it where it
    /// disturbs least.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(watched: Vec<Watched>, prepare: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (ready, begun) = mpsc::channel();
        let thread = thread::Builder::new().name("monitor".to_owned()).spawn(move || {
            prepare();
            let mut rounds = Rounds::new(watched);
            rounds.sample();
            _ = ready.send(());
            let start = Instant::now();
            for number in 1.. {
                // From the beginning on, so that a late sample does not make all others late.
                let due = INTERVAL.saturating_mul(number).saturating_sub(start.elapsed());
                match stopped.recv_timeout(due) {
                    Err(RecvTimeoutError::Timeout) => rounds.sample(),
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            rounds.sample();
            rounds.finished()
        })?;
        // An error means that the thread has ended, which `finish` tells.
        _ = begun.recv();
        Ok(Self { stop, thread })
    }

    /// Takes the last sample and ends.
    ///
    /// # Errors
    /// When the sampling thread has panicked.
    pub fn finish(self) -> io::Result<Watching> {
        _ = self.stop.send(());
        self.thread
            .join()
            .map_err(|_| io::Error::other("the thread that watched resources has panicked"))
    }
}

struct Rounds {
    watched: Vec<Watched>,
    watching: Watching,
    /// By kind and column: whether there was a value, and the first reason why not.
    columns: BTreeMap<(&'static str, Measure), Result<(), Option<String>>>,
}

impl Rounds {
    fn new(watched: Vec<Watched>) -> Self {
        Self {
            watched,
            watching: Watching::default(),
            columns: BTreeMap::new(),
        }
    }

    fn sample(&mut self) {
        self.watching.rounds += 1;
        for Watched { subject, sources } in &mut self.watched {
            let mut reading = Reading::default();
            let time_ns = monotonic_ns();
            sources.retain_mut(|source| source.read(&mut reading));
            for measure in Measure::ALL {
                let known = self.columns.entry((subject.kind(), measure)).or_insert(Err(None));
                if reading.usage[measure].is_some() {
                    *known = Ok(());
                } else if *known == Err(None) {
                    *known = Err(reading.reason(measure).map(str::to_owned));
                }
            }
            if reading.usage != dataset::Usage::default() {
                self.watching.samples.push(ResourceSample {
                    time_ns,
                    subject: subject.clone(),
                    usage: reading.usage,
                });
            }
        }
    }

    fn finished(mut self) -> Watching {
        let mut missing: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
        for ((kind, measure), found) in self.columns {
            if let Err(reason) = found {
                let reason = reason.unwrap_or_else(|| "no source has it".to_owned());
                missing
                    .entry((kind, reason))
                    .or_default()
                    .push(measure.column().to_owned());
            }
        }
        self.watching.missing = missing
            .into_iter()
            .map(|((kind, reason), columns)| MissingColumns {
                kind: kind.to_owned(),
                columns,
                reason,
            })
            .collect();
        let times: Vec<i64> = self.watching.samples.iter().map(|sample| sample.time_ns).collect();
        if let (Some(first), Some(last)) = (times.first(), times.last()) {
            self.watching.elapsed_ns = (last - first).unsigned_abs();
        }
        self.watching.own_cpu_ns = now_ns(ClockId::CLOCK_THREAD_CPUTIME_ID).unsigned_abs();
        self.watching
    }
}

fn monotonic_ns() -> i64 {
    now_ns(ClockId::CLOCK_MONOTONIC)
}

fn now_ns(clock: ClockId) -> i64 {
    // Both clocks are always there.
    clock_gettime(clock).map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has a value for so many samples, then ends.
    struct Counting(i64);

    impl Source for Counting {
        fn read(&mut self, reading: &mut Reading) -> bool {
            self.0 -= 1;
            if self.0 < 0 {
                return false;
            }
            reading.set(Measure::Threads, self.0);
            reading.lack(&[Measure::CpuNs, Measure::Threads], "it only counts");
            true
        }
    }

    fn watched(subject: Subject, samples: i64) -> Watched {
        Watched {
            subject,
            sources: vec![Box::new(Counting(samples))],
        }
    }

    #[test]
    fn the_beginning_and_the_end_are_sampled() {
        let arm = Subject::Arm("scan".to_owned());
        let monitor = Monitor::start(
            vec![watched(arm.clone(), i64::MAX), watched(Subject::Loadgen, 1)],
            || {},
        );
        let seen = monitor.expect("a thread").finish().expect("it ends");
        let of = |subject| seen.samples.iter().filter(|sample| sample.subject == subject).count();
        assert!(of(arm) >= 2, "{seen:?}");
        // What has ended has no further rows.
        assert_eq!(of(Subject::Loadgen), 1);
        let missing = seen
            .missing
            .iter()
            .find(|missing| missing.kind == "arm" && missing.reason == "it only counts");
        assert_eq!(missing.expect("listed").columns, ["cpu_ns"]);
        let others = seen.missing.iter().find(|missing| missing.reason == "no source has it");
        assert_eq!(others.expect("listed").columns.len(), Measure::ALL.len() - 2);
    }

    #[test]
    fn samplers_together_miss_what_each_of_them_misses() {
        let seen = |arm: &str, time_ns, lists: bool| {
            let mut usage = dataset::Usage::default();
            usage[Measure::Threads] = Some(1);
            usage[Measure::CpuNs] = lists.then_some(5);
            let columns: &[&str] = if lists { &["steal_ns"] } else { &["cpu_ns", "steal_ns"] };
            Watching {
                samples: vec![ResourceSample {
                    time_ns,
                    subject: Subject::Arm(arm.to_owned()),
                    usage,
                }],
                rounds: 3,
                missing: vec![MissingColumns {
                    kind: "arm".to_owned(),
                    columns: columns.iter().copied().map(str::to_owned).collect(),
                    reason: format!("{arm} has none"),
                }],
                own_cpu_ns: 7,
                elapsed_ns: 9,
            }
        };
        let together = Watching::together([seen("one", 8, false), seen("two", 4, true)]);
        assert_eq!((together.rounds, together.own_cpu_ns, together.elapsed_ns), (3, 14, 9));
        let times: Vec<i64> = together.samples.iter().map(|sample| sample.time_ns).collect();
        assert_eq!(times, [4, 8]);
        let missing: Vec<_> = together
            .missing
            .iter()
            .map(|missing| (&missing.columns[..], &missing.reason[..]))
            .collect();
        assert_eq!(missing, [(&["steal_ns".to_owned()][..], "one has none")]);
    }
}
