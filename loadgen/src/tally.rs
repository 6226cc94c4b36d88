//! What a run says about itself, and the checks of its own soundness.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dataset::{Observation, Status};
use serde::{Deserialize, Serialize};

use crate::check::{Check, Clocks, Verdict};

/// Printed as JSON on stdout at the end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rounds that were completed for all arms.
    pub rounds: u64,
    /// Rows written.
    pub observations: u64,
    /// Rows flagged as warm-up.
    pub warm_up: u64,
    /// Requests sent, at least in part, per arm.
    pub requests_sent: BTreeMap<String, u64>,
    /// Rows by status, but `ok`.
    pub errors: BTreeMap<String, u64>,
    /// For each arm and status with failures, why the first of them failed.
    pub reasons: Vec<String>,
    /// Failed requests by all requests.
    pub error_share: f64,
    /// Connections that had to be made again.
    pub reopened: u64,
    /// Of the successful requests after warm-up, the share with both kernel stamps; `None` without such requests.
    pub stamped_share: Option<f64>,
    /// Rows without both kernel stamps, warm-up included.
    pub discarded_unstamped: u64,
    /// Throughput times mean RTT: at one request at a time, at most 1; `None` without observations.
    pub littles_law: Option<f64>,
    /// Time per request that is not RTT, ns: the prober's own between an answer and the next request; `None` in an open
    /// loop.
    pub not_rtt_ns: Option<f64>,
    /// How the rate was held; `None` in a closed loop.
    pub rate: Option<Rate>,
    /// Time of measuring, without that of writing, in seconds.
    pub elapsed_s: f64,
    /// Time spent on writing between rounds, in seconds.
    pub writing_s: f64,
    /// How often the prober was taken off its CPU against its will.
    pub involuntary_context_switches: u64,
    /// The most memory that the prober had resident, in bytes.
    pub peak_memory_bytes: u64,
    /// The CPU it was pinned to.
    pub cpu: Option<usize>,
    /// The clocks of the stamps.
    pub clocks: Clocks,
    /// The prober's checks of itself.
    pub checks: Vec<Check>,
    /// Whether all rounds of the plan were done.
    pub finished: bool,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// The file written.
    pub output: PathBuf,
}

/// The rate of an open loop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Requests a second, over all arms.
    pub asked: f64,
    /// Requests a second that were sent.
    pub reached: f64,
    /// Whether the sends kept up with the arrivals, within 1 %.
    pub held: bool,
    /// Sends later than intended by more than 50 us.
    pub late_sends: u64,
    /// The latest of them, ns after its time.
    pub latest_send_ns: i64,
}

/// Counts rows as they are written.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) observations: u64,
    pub(crate) warm_up: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) discarded_unstamped: u64,
    usable: u64,
    stamped: u64,
    rtt_ns: i128,
    late_wake_ups: u64,
    kernel_minus_user_ns: i64,
}

/// Woken so long after the answer's arrival is late, ns.
const LATE_WAKE_UP_NS: i64 = 1_000_000;

impl Tally {
    pub(crate) fn add(&mut self, rows: &[Observation]) {
        for row in rows {
            self.observations += 1;
            self.rtt_ns += i128::from(row.rtt_ns());
            self.warm_up += u64::from(row.warm_up);
            let stamped = row.wire_ns().is_some();
            self.discarded_unstamped += u64::from(!stamped);
            if row.status != Status::Ok {
                *self.errors.entry(row.status.text().to_owned()).or_default() += 1;
            } else if !row.warm_up {
                self.usable += 1;
                self.stamped += u64::from(stamped);
                if let Some(arrived_ns) = row.kernel_rx_ns {
                    let woken_ns = row.user_receive_ns + self.kernel_minus_user_ns;
                    self.late_wake_ups += u64::from(woken_ns - arrived_ns.get() > LATE_WAKE_UP_NS);
                }
            }
        }
    }

    pub(crate) fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    pub(crate) fn error_share(&self) -> f64 {
        self.error_count() as f64 / self.observations.max(1) as f64
    }

    pub(crate) fn stamped_share(&self) -> Option<f64> {
        (self.usable > 0).then(|| self.stamped as f64 / self.usable as f64)
    }

    /// Of the requests with stamps, the share whose answer was noticed late.
    pub(crate) fn late_wake_ups(&self) -> Option<f64> {
        (self.stamped > 0).then(|| self.late_wake_ups as f64 / self.stamped as f64)
    }

    /// Time per request that is not RTT, ns.
    pub(crate) fn not_rtt_ns(&self, elapsed_ns: i64) -> Option<f64> {
        (self.observations > 0).then(|| (i128::from(elapsed_ns) - self.rtt_ns) as f64 / self.observations as f64)
    }

    /// For rows of a run in which the kernel's clock is ahead of the user's by so much.
    pub(crate) fn new(kernel_minus_user_ns: i64) -> Self {
        Self {
            kernel_minus_user_ns,
            ..Self::default()
        }
    }

    /// Throughput times mean RTT is the sum of the RTTs by the time they took.
    pub(crate) fn littles_law(&self, elapsed_ns: i64) -> Option<f64> {
        (elapsed_ns > 0 && self.observations > 0).then(|| self.rtt_ns as f64 / elapsed_ns as f64)
    }
}

impl Summary {
    /// Adds a warning for each check that failed.
    pub(crate) fn judge(&mut self, no_stamps: Option<&str>) {
        for check in self.checks.iter().filter(|check| check.verdict == Verdict::Failed) {
            self.warnings.push(format!(
                "check failed: {}: {:.4}, at most {} ({})",
                check.name,
                check.value.unwrap_or(f64::NAN),
                check.limit,
                check.what
            ));
        }
        if let Some(reason) = no_stamps {
            self.warnings.push(format!(
                "the kernel gives no time stamps ({reason}): there is no wire time, only RTT"
            ));
        }
        if self.reopened > 0 {
            self.warnings
                .push(format!("{} connections had to be made again", self.reopened));
        }
        self.warnings.extend_from_slice(&self.reasons);
    }
}
