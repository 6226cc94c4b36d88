//! Sums over all rows of a launch.

use std::collections::BTreeMap;

use dataset::{Observation, RequestOutcome};

/// Counts rows as they are written.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) observations: u64,
    pub(crate) warm_up: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) unstamped: u64,
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
            self.unstamped += u64::from(!stamped);
            if row.outcome != RequestOutcome::Answered {
                *self.errors.entry(row.outcome.name().to_owned()).or_default() += 1;
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
    pub(crate) fn between_requests_ns(&self, elapsed_ns: i64) -> Option<f64> {
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
