//! Sums over all rows of a launch.

use std::collections::BTreeMap;

use dataset::{Observation, RequestOutcome};

/// A response is late if the load generator receives it more than this time after its arrival in the kernel, ns.
const LATE_WAKE_UP_NS: i64 = 1_000_000;
/// Width of a class of times between requests, ns, and number of the classes. The last class holds all longer times.
const GAP_CLASS_NS: i64 = 10;
const GAP_CLASSES: usize = 10_000;

/// Sums over the rows that were written so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) observations: u64,
    pub(crate) warm_up: u64,
    /// Number of rows by status, without the status `ok`.
    pub(crate) errors: BTreeMap<RequestOutcome, u64>,
    /// Number of rows that lack a kernel stamp.
    pub(crate) unstamped: u64,
    /// Number of successful requests after warm-up.
    usable: u64,
    /// Number of usable requests that have both kernel stamps.
    stamped: u64,
    rtt_ns: i128,
    late_wake_ups: u64,
    kernel_minus_user_ns: i64,
    /// Number of times between a response and the next request of the same thread, by class.
    gaps: Vec<u64>,
}

impl Tally {
    /// Makes an empty tally for a run in which the kernel's clock is ahead of the user's by `kernel_minus_user_ns`.
    pub(crate) fn new(kernel_minus_user_ns: i64) -> Self {
        Self {
            kernel_minus_user_ns,
            gaps: vec![0; GAP_CLASSES],
            ..Self::default()
        }
    }

    /// Adds consecutive rows of one thread.
    pub(crate) fn add(&mut self, rows: &[Observation]) {
        for pair in rows.windows(2) {
            let gap_ns = (pair[1].user_send_ns - pair[0].user_receive_ns).max(0);
            let class = usize::try_from(gap_ns / GAP_CLASS_NS).unwrap_or(usize::MAX);
            if let Some(count) = self.gaps.get_mut(class.min(GAP_CLASSES - 1)) {
                *count += 1;
            }
        }
        for row in rows {
            self.observations += 1;
            self.rtt_ns += i128::from(row.rtt_ns());
            self.warm_up += u64::from(row.warm_up);
            let stamped = row.wire_ns().is_some();
            self.unstamped += u64::from(!stamped);
            if row.outcome != RequestOutcome::Answered {
                *self.errors.entry(row.outcome).or_default() += 1;
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

    /// Returns the number of failed requests divided by the number of requests.
    pub(crate) fn error_share(&self) -> f64 {
        self.errors.values().sum::<u64>() as f64 / self.observations.max(1) as f64
    }

    /// Returns the share of usable requests that have both kernel stamps; `None` without usable requests.
    pub(crate) fn stamped_share(&self) -> Option<f64> {
        (self.usable > 0).then(|| self.stamped as f64 / self.usable as f64)
    }

    /// Returns the share of stamped requests whose response was received late; `None` without stamped requests.
    pub(crate) fn late_wake_ups(&self) -> Option<f64> {
        (self.stamped > 0).then(|| self.late_wake_ups as f64 / self.stamped as f64)
    }

    /// Returns the mean time per request outside of the RTTs, ns, in a run that took `elapsed_ns`; `None` without
    /// rows.
    pub(crate) fn between_requests_ns(&self, elapsed_ns: i64) -> Option<f64> {
        (self.observations > 0).then(|| (i128::from(elapsed_ns) - self.rtt_ns) as f64 / self.observations as f64)
    }

    /// Returns the share of the time that a median time between a response and the next request of the same thread would
    /// take after each request. `elapsed_ns` is the sum over threads. `None` without two consecutive rows.
    pub(crate) fn median_gap_share(&self, elapsed_ns: i64) -> Option<f64> {
        let all: u64 = self.gaps.iter().sum();
        let mut before = 0;
        let class = self.gaps.iter().position(|count| {
            before += count;
            2 * before >= all
        });
        let gap_ns = (class.filter(|_| all > 0)? as f64 + 0.5) * GAP_CLASS_NS as f64;
        (elapsed_ns > 0).then(|| gap_ns * self.observations as f64 / elapsed_ns as f64)
    }

    /// Returns throughput times mean RTT in a run that took `elapsed_ns`, which is the sum of all RTTs divided by that time;
    /// `None` without rows.
    pub(crate) fn littles_law(&self, elapsed_ns: i64) -> Option<f64> {
        (elapsed_ns > 0 && self.observations > 0).then(|| self.rtt_ns as f64 / elapsed_ns as f64)
    }
}
