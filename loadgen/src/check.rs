//! The checks of the load generator's own soundness.

use model::{Arrivals, Clocks, LaunchPlan, LoadCheck, LoadCheckKind, Schedule, WaitMethod};

use crate::clock::{self, ClockCost};
use crate::load_thread::ThreadOutcome;
use crate::open_loop::LATE_NS;
use crate::tally::Tally;

/// Readings of the clocks before the measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClocksBefore {
    pub(crate) kernel_minus_user_ns: i64,
    cost: ClockCost,
}

impl ClocksBefore {
    /// Reads the clocks.
    pub(crate) fn read() -> Self {
        Self {
            kernel_minus_user_ns: clock::kernel_minus_user_ns(),
            cost: clock::measure_clock_cost(),
        }
    }

    /// Reads the clocks again and returns both readings.
    pub(crate) fn compare(&self) -> Clocks {
        Clocks {
            resolution_ns: self.cost.resolution_ns,
            stamp_cost_ns: self.cost.cost_ns,
            kernel_minus_user_ns: self.kernel_minus_user_ns,
            change_ns: clock::kernel_minus_user_ns() - self.kernel_minus_user_ns,
        }
    }
}

/// Returns the number of requests that a closed loop has in progress at a time.
fn requests_in_progress(plan: &LaunchPlan) -> f64 {
    let per_thread = match plan.schedule {
        Schedule::Duet => plan.arms.len(),
        Schedule::Interleaved | Schedule::Sequential | Schedule::Runs(_) => 1,
    };
    (per_thread * usize::from(plan.threads)) as f64
}

/// Largest share of the time for which the load generator may wait for a CPU. The study of the checks (METHODOLOGY.md) has no
/// disturbed estimate at this share.
const WAIT_SHARE: f64 = 0.55;
/// Largest share of the time that the hypervisor may withhold. No program can make steal; a competitor that took this share of
/// the servers' CPU did not disturb the estimates in the same study.
const STEAL_SHARE: f64 = 0.2;
/// Share of a launch's time that may pass outside of requests and of the median time between requests.
const LOST_SHARE: f64 = 0.2;

/// Returns the limits of throughput times mean RTT in a closed loop with this number of requests in progress at a time, which
/// is the upper limit. `gap_share` is the share of the time that the median time between two requests takes. Below the lower
/// limit, a fifth of the time or more is neither RTT nor the usual work between requests: the stamps are wrong, or the thread
/// did not run.
fn littles_limits(in_progress: f64, gap_share: Option<f64>) -> (Option<f64>, f64) {
    (
        gap_share.map(|share| in_progress * (1.0 - share - LOST_SHARE)),
        in_progress,
    )
}

/// Makes a check with the definition of its value, or with the reason for which there is no value.
fn check(kind: LoadCheckKind, value: Option<f64>, limit: f64, definition: &str, without_value: &str) -> LoadCheck {
    let detail = if value.is_some() { definition } else { without_value };
    LoadCheck::at_most(kind, value, limit, detail)
}

/// Returns all checks of a launch. A check without a value has the verdict "not run".
pub(crate) fn all(plan: &LaunchPlan, clocks: &Clocks, tally: &Tally, outcome: &ThreadOutcome) -> Vec<LoadCheck> {
    let no_stamps = outcome.no_stamps.as_deref();
    let timing = outcome.send_timing;
    let littles_law = tally
        .littles_law(outcome.mean_elapsed_ns())
        .filter(|_| timing.is_none() && plan.arrivals == Arrivals::Closed);
    // In a duet, requests also wait for the slower arm.
    let gap_share = tally
        .median_gap_share(outcome.elapsed_ns)
        .filter(|_| plan.schedule != Schedule::Duet);
    let unstamped_share = tally.stamped_share().map(|share| 1.0 - share);
    let late_wake_ups = tally.late_wake_ups().filter(|_| plan.wait == WaitMethod::Sleep);
    let observations = tally.observations.max(1) as f64;
    vec![
        LoadCheck::within(
            LoadCheckKind::LittlesLaw,
            littles_law,
            littles_limits(requests_in_progress(plan), gap_share),
            if littles_law.is_some() {
                "throughput times mean RTT; at most the number of requests in progress at a time, and less than it by the \
                 median time between requests and a fifth"
            } else {
                "only a closed loop of one request at a time has a fixed number of requests in progress"
            },
        ),
        LoadCheck::at_most(
            LoadCheckKind::ClockResolution,
            Some(clocks.resolution_ns as f64),
            100.0,
            "smallest step of the clock, ns",
        ),
        LoadCheck::at_most(
            LoadCheckKind::StampCost,
            Some(clocks.stamp_cost_ns),
            500.0,
            "duration of one reading of the clock, ns",
        ),
        LoadCheck::at_most(
            LoadCheckKind::ClockChange,
            Some(clocks.change_ns.abs() as f64),
            1_000.0,
            "change of the kernel stamps' clock against the user stamps' clock, ns",
        ),
        check(
            LoadCheckKind::KernelStamps,
            unstamped_share.filter(|_| no_stamps.is_none()),
            0.01,
            "share of requests after warm-up without both kernel stamps",
            no_stamps.unwrap_or("no request after warm-up was successful"),
        ),
        check(
            LoadCheckKind::LateSends,
            timing.map(|timing| timing.late as f64 / timing.sent.max(1) as f64),
            0.01,
            &format!(
                "share of requests sent more than {} µs after their intended time",
                LATE_NS / 1_000
            ),
            "a closed loop has no intended send times",
        ),
        check(
            LoadCheckKind::LateWakeUps,
            late_wake_ups.filter(|_| no_stamps.is_none()),
            0.01,
            "share of responses received more than 1 ms after they arrived in the kernel",
            if plan.wait == WaitMethod::Sleep {
                "no successful request after warm-up has kernel stamps"
            } else {
                "the load generator does not sleep"
            },
        ),
        check(
            LoadCheckKind::CpuSteal,
            outcome.disturbance.steal_share,
            STEAL_SHARE,
            "share of the time that the hypervisor withheld from the CPU",
            "/proc/stat does not have the steal time, or the run was shorter than one of its ticks",
        ),
        check(
            LoadCheckKind::CpuWait,
            outcome.disturbance.wait_share,
            WAIT_SHARE,
            "share of the time in which the load generator was runnable without a CPU, because another program had the \
             CPU or because its CPU quota was used up",
            "the kernel does not count the waiting time (/proc/thread-self/schedstat)",
        ),
        LoadCheck::at_most(
            LoadCheckKind::Migrations,
            Some(outcome.migrations as f64 / observations),
            0.001,
            "migrations between CPUs per request",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use dataset::{Observation, RequestOutcome};
    use model::CheckVerdict;

    use super::*;

    /// Rows of one thread: round-trip time and time until the next request, ns.
    fn tally(rows: &[(i64, i64)]) -> (Tally, i64) {
        let mut time_ns = 0;
        let rows: Vec<Observation> = rows
            .iter()
            .map(|&(rtt_ns, gap_ns)| {
                let user_send_ns = time_ns;
                time_ns += rtt_ns + gap_ns;
                Observation {
                    round: 0,
                    position: 0,
                    arm: 0,
                    sequence: 0,
                    connection: 0,
                    request: 0,
                    step: None,
                    load_level_permille: None,
                    block: None,
                    intended_arrival_ns: user_send_ns,
                    user_send_ns,
                    kernel_tx_ns: None,
                    kernel_rx_ns: None,
                    user_receive_ns: user_send_ns + rtt_ns,
                    outcome: RequestOutcome::Answered,
                    http_status: 200,
                    bytes: 0,
                    warm_up: false,
                }
            })
            .collect();
        let mut tally = Tally::new(0);
        tally.add(&rows);
        (tally, time_ns)
    }

    fn verdict(rows: &[(i64, i64)], elapsed_ns: Option<i64>) -> CheckVerdict {
        let (tally, time_ns) = tally(rows);
        let elapsed_ns = elapsed_ns.unwrap_or(time_ns);
        let limits = littles_limits(1.0, tally.median_gap_share(elapsed_ns));
        LoadCheck::within(LoadCheckKind::LittlesLaw, tally.littles_law(elapsed_ns), limits, "").verdict
    }

    #[test]
    fn littles_law_is_checked_on_both_sides() {
        let usual = vec![(10_000, 1_000); 100];
        assert_eq!(verdict(&usual, None), CheckVerdict::Passed);
        // Slow work between all requests is no lost time.
        assert_eq!(verdict(&vec![(10_000, 9_000); 100], None), CheckVerdict::Passed);
        // Stamps that make the round-trip times longer than the run.
        assert_eq!(verdict(&usual, Some(900_000)), CheckVerdict::Failed);
        // A pause of 50 µs after one request in ten.
        let mut paused = usual;
        for row in paused.iter_mut().step_by(10) {
            row.1 = 50_000;
        }
        assert_eq!(verdict(&paused, None), CheckVerdict::Failed);
    }
}
