//! Buffers the rows of requests in memory until they can be written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use dataset::{FileHeader, Observation, ObservationWriter, RequestOutcome};
use model::{FirstFailure, LaunchPlan};

use crate::clock::monotonic_ns;
use crate::connection::RequestResult;
use crate::error::LoadgenError;
use crate::stop_signal::received_signal;
use crate::tally::Tally;

/// Number of rows that all threads together buffer before they write between two rounds.
const BUFFER_ROWS: u64 = 131_072;
/// Number of rounds after a write that count as warm-up, because the write has evicted the caches and the servers have slept.
pub(crate) const WARM_UP_ROUNDS_AFTER_WRITE: u32 = 32;

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

/// Identity of a request within its thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId {
    pub(crate) round: u32,
    /// Position in the round.
    pub(crate) position: u16,
    /// Index of the arm.
    pub(crate) arm: u16,
    /// Number of the request among the requests of its arm.
    pub(crate) sequence: u32,
    pub(crate) connection: u16,
    /// Index of the message: 0 the plain one, 1 the one with the keyword.
    pub(crate) message: u16,
    pub(crate) warm_up: bool,
}

/// Output file of all threads, and the flag that stops them.
pub(crate) struct ObservationOutput {
    state: Mutex<OutputState>,
    /// Number of requests that may fail, over all threads.
    allowed_errors: f64,
    errors: AtomicU64,
    stopped: AtomicBool,
}

struct OutputState {
    writer: ObservationWriter,
    tally: Tally,
    first_failures: BTreeMap<(u16, RequestOutcome), &'static str>,
}

impl ObservationOutput {
    /// Creates the output file of a plan.
    pub(crate) fn create(plan: &LaunchPlan, kernel_minus_user_ns: i64) -> Result<Self, LoadgenError> {
        let header = FileHeader {
            run: plan.run.clone(),
            condition: plan.condition.clone(),
            launch: plan.launch,
            arms: plan.arms.iter().map(|target| target.arm.clone()).collect(),
        };
        Ok(Self {
            state: Mutex::new(OutputState {
                writer: ObservationWriter::create(&plan.output, header)?,
                tally: Tally::new(kernel_minus_user_ns),
                first_failures: BTreeMap::new(),
            }),
            allowed_errors: plan.max_error_share * (plan.rounds * plan.arms.len() as u64) as f64,
            errors: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        })
    }

    /// Asks all threads to stop.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    /// Completes the file. Returns the sums over all rows and the first failure of each arm and status.
    pub(crate) fn finish(self, plan: &LaunchPlan) -> Result<(Tally, Vec<FirstFailure>), LoadgenError> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.writer.finish()?;
        let first_failures = state.first_failures.iter().map(|((arm, status), reason)| FirstFailure {
            arm: plan.arms[usize::from(*arm)].arm.clone(),
            status: *status,
            reason: (*reason).to_owned(),
        });
        Ok((state.tally, first_failures.collect()))
    }
}

/// Rows of one thread that are not yet written.
pub(crate) struct Recorder<'a> {
    output: &'a ObservationOutput,
    thread: u16,
    threads: u16,
    connections: u16,
    rows: Vec<Observation>,
    capacity: usize,
    /// Time for writing so far, ns.
    pub(crate) writing_ns: i64,
    first_failures: BTreeMap<(u16, RequestOutcome), &'static str>,
}

impl<'a> Recorder<'a> {
    /// Makes the recorder of thread number `thread` of `threads`, whose share of the plan is `share`.
    pub(crate) fn new(share: &LaunchPlan, output: &'a ObservationOutput, thread: u16, threads: u16) -> Self {
        let needed = (share.rounds * share.arms.len() as u64).min(BUFFER_ROWS / u64::from(threads));
        let capacity = usize::try_from(needed).unwrap_or(0).max(share.arms.len());
        // The first write to each page makes the kernel map it, so that no page fault occurs during a round.
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
            first_failures: BTreeMap::new(),
        }
    }

    /// Returns whether the thread must stop: a signal has arrived, too many requests have failed, or another thread has
    /// stopped.
    pub(crate) fn stopped(&self) -> bool {
        received_signal().is_some()
            || self.output.stopped.load(Relaxed)
            || self.output.errors.load(Relaxed) as f64 > self.output.allowed_errors
    }

    /// Returns whether the buffer has room for this number of further rows.
    pub(crate) fn has_room(&self, rows: usize) -> bool {
        self.rows.len() + rows <= self.capacity
    }

    /// Adds the row of a request. Converts the numbers of round, sequence and connection from the numbering of the
    /// thread to the numbering of the whole run.
    pub(crate) fn record(&mut self, id: RequestId, outcome: &RequestResult) {
        if let Some(reason) = outcome.failure_reason {
            self.first_failures.entry((id.arm, outcome.status)).or_insert(reason);
        }
        if outcome.status != RequestOutcome::Answered {
            self.output.errors.fetch_add(1, Relaxed);
        }
        let of_run = |number: u32| number * u32::from(self.threads) + u32::from(self.thread);
        self.rows.push(Observation {
            round: of_run(id.round),
            position: id.position,
            arm: id.arm,
            sequence: of_run(id.sequence),
            connection: id.connection + self.thread * self.connections,
            request: id.message,
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
            warm_up: id.warm_up || outcome.fresh,
        });
    }

    /// Writes all buffered rows. Waits until no other thread writes.
    pub(crate) fn flush(&mut self) -> Result<(), LoadgenError> {
        let start_ns = monotonic_ns();
        let mut state = self.output.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tally.add(&self.rows);
        state.writer.write(&self.rows)?;
        for (failure, reason) in std::mem::take(&mut self.first_failures) {
            state.first_failures.entry(failure).or_insert(reason);
        }
        drop(state);
        self.rows.clear();
        self.writing_ns += monotonic_ns() - start_ns;
        Ok(())
    }
}
