//! Holds rows until there is time to write them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use dataset::{FileHeader, Observation, ObservationWriter, RequestOutcome};
use model::{FirstFailure, LaunchPlan};

use crate::connection::Outcome;
use crate::error::Error;
use crate::sys;
use crate::tally::Tally;

/// Rows held in memory by all threads before they are written between two rounds.
const BUFFER_ROWS: u64 = 131_072;
/// Rounds after a write that are flagged as warm-up: writing has emptied caches and let the servers sleep.
pub(crate) const ROUNDS_AFTER_WRITE: u32 = 32;

const BLANK: Observation = Observation {
    round: 0,
    position: 0,
    arm: 0,
    sequence: 0,
    connection: 0,
    request: 0,
    step: None,
    load_level_permille: None,
    block: None,
    intended_arrival_ns: 0,
    user_send_ns: 0,
    kernel_tx_ns: None,
    kernel_rx_ns: None,
    user_receive_ns: 0,
    outcome: RequestOutcome::Answered,
    http_status: 0,
    bytes: 0,
    warm_up: true,
};

/// Which request it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) round: u32,
    pub(crate) position: u16,
    pub(crate) arm: u16,
    pub(crate) sequence: u32,
    pub(crate) connection: u16,
    pub(crate) request: u16,
    pub(crate) warm_up: bool,
}

/// Where the rows of all threads go.
pub(crate) struct Output {
    file: Mutex<File>,
    /// Requests that may fail, over all threads.
    allowed_errors: f64,
    errors: AtomicU64,
    stopped: AtomicBool,
}

struct File {
    writer: ObservationWriter,
    tally: Tally,
    /// The first reason for each failure of each arm.
    reasons: BTreeMap<(u16, RequestOutcome), &'static str>,
}

impl Output {
    pub(crate) fn create(plan: &LaunchPlan, kernel_minus_user_ns: i64) -> Result<Self, Error> {
        let names = plan.arms.iter().map(|target| target.arm.clone()).collect();
        let header = FileHeader {
            run: plan.run.clone(),
            condition: plan.condition.clone(),
            launch: plan.launch,
            arms: names,
        };
        Ok(Self {
            file: Mutex::new(File {
                writer: ObservationWriter::create(&plan.output, header)?,
                tally: Tally::new(kernel_minus_user_ns),
                reasons: BTreeMap::new(),
            }),
            allowed_errors: plan.max_error_share * (plan.rounds * plan.arms.len() as u64) as f64,
            errors: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        })
    }

    /// Asks all threads to end.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    /// Completes the file; gives the sums, and for each arm and status with failures why the first of them failed.
    pub(crate) fn finish(self, plan: &LaunchPlan) -> Result<(Tally, Vec<FirstFailure>), Error> {
        let file = self.file.into_inner().unwrap_or_else(PoisonError::into_inner);
        file.writer.finish()?;
        let first_failures = file.reasons.iter().map(|((arm, status), why)| FirstFailure {
            arm: plan.arms[usize::from(*arm)].arm.clone(),
            status: status.name().to_owned(),
            reason: (*why).to_owned(),
        });
        Ok((file.tally, first_failures.collect()))
    }
}

/// The rows of one thread that are not written yet.
pub(crate) struct Recorder<'a> {
    output: &'a Output,
    thread: u16,
    threads: u16,
    connections: u16,
    rows: Vec<Observation>,
    capacity: usize,
    pub(crate) writing_ns: i64,
    reasons: BTreeMap<(u16, RequestOutcome), &'static str>,
}

impl<'a> Recorder<'a> {
    /// For the share of a thread.
    pub(crate) fn new(share: &LaunchPlan, output: &'a Output, thread: u16, threads: u16) -> Self {
        let needed = (share.rounds * share.arms.len() as u64).min(BUFFER_ROWS / u64::from(threads));
        let capacity = usize::try_from(needed).unwrap_or(0).max(share.arms.len());
        // Written once, so that no page of it is missing when it is filled.
        let mut rows = vec![BLANK; capacity];
        rows.clear();
        Self {
            output,
            thread,
            threads,
            connections: share.connections,
            rows,
            capacity,
            writing_ns: 0,
            reasons: BTreeMap::new(),
        }
    }

    /// Whether to send no more: a signal has come, more requests have failed than may, or another thread has given up.
    pub(crate) fn stopped(&self) -> bool {
        sys::received_signal().is_some()
            || self.output.stopped.load(Relaxed)
            || self.output.errors.load(Relaxed) as f64 > self.output.allowed_errors
    }

    pub(crate) fn has_room(&self, rows: usize) -> bool {
        self.rows.len() + rows <= self.capacity
    }

    /// The thread's own numbers become those of the run.
    pub(crate) fn record(&mut self, place: Place, outcome: &Outcome) {
        if let Some(why) = outcome.why {
            self.reasons.entry((place.arm, outcome.status)).or_insert(why);
        }
        if outcome.status != RequestOutcome::Answered {
            self.output.errors.fetch_add(1, Relaxed);
        }
        let of_all = |number: u32| number * u32::from(self.threads) + u32::from(self.thread);
        self.rows.push(Observation {
            round: of_all(place.round),
            position: place.position,
            arm: place.arm,
            sequence: of_all(place.sequence),
            connection: place.connection + self.thread * self.connections,
            request: place.request,
            step: None,
            load_level_permille: None,
            block: None,
            intended_arrival_ns: outcome.intended_arrival_ns,
            user_send_ns: outcome.user_send_ns,
            kernel_tx_ns: outcome.kernel_tx_ns,
            kernel_rx_ns: outcome.kernel_rx_ns,
            user_receive_ns: outcome.user_receive_ns,
            outcome: outcome.status,
            http_status: outcome.http_status,
            bytes: outcome.bytes,
            warm_up: place.warm_up || outcome.fresh,
        });
    }

    /// Writes what is held, after the other threads' turn; gives how long that took, ns.
    pub(crate) fn flush(&mut self) -> Result<i64, Error> {
        let start_ns = sys::monotonic_ns();
        let mut file = self.output.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.tally.add(&self.rows);
        file.writer.write(&self.rows)?;
        for (failure, why) in std::mem::take(&mut self.reasons) {
            file.reasons.entry(failure).or_insert(why);
        }
        drop(file);
        self.rows.clear();
        let took_ns = sys::monotonic_ns() - start_ns;
        self.writing_ns += took_ns;
        Ok(took_ns)
    }
}
