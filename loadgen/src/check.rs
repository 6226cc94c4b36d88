//! The prober's checks of its own soundness. One that could not be made says so; it is never taken for passed.

use model::{Clocks, LaunchPlan, LoadCheck, LoadCheckKind, Schedule, WaitMethod};

use crate::open::LATE_NS;
use crate::prober::Went;
use crate::sys::{self, Ticks};
use crate::tally::Tally;

/// What a thread looks at before and after its measuring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    cpu: Option<usize>,
    switches: u64,
    ticks: Option<Ticks>,
    start_ns: i64,
    waited_ns: Option<u64>,
}

/// What a thread found between the two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disturbance {
    /// How often it was taken off its CPU against its will.
    pub(crate) switches: u64,
    /// Share of the time that was stolen.
    pub(crate) steal: Option<f64>,
    /// Share of the time in which it could have run and had no CPU.
    pub(crate) waited: Option<f64>,
}

impl Disturbance {
    /// Of two threads: all switches, and the shares of the one that lost most.
    pub(crate) fn and(self, other: Self) -> Self {
        let most = |one: Option<f64>, other: Option<f64>| Some(one?.max(other?));
        Self {
            switches: self.switches + other.switches,
            steal: most(self.steal, other.steal),
            waited: most(self.waited, other.waited),
        }
    }
}

impl Watch {
    pub(crate) fn begin(cpu: Option<usize>) -> Self {
        Self {
            cpu,
            switches: sys::involuntary_context_switches(),
            ticks: sys::ticks(cpu),
            start_ns: sys::monotonic_ns(),
            waited_ns: waited_ns(),
        }
    }

    pub(crate) fn end(self) -> Disturbance {
        // In this order, so that what passes between the two is no waiting.
        let waited_ns = self.waited_ns.zip(waited_ns());
        let elapsed_ns = (sys::monotonic_ns() - self.start_ns).max(1) as f64;

        let steal = self
            .ticks
            .zip(sys::ticks(self.cpu))
            .and_then(|(before, after)| after.stolen_since(before));
        Disturbance {
            switches: sys::involuntary_context_switches() - self.switches,
            steal,
            waited: waited_ns.map(|(before, after)| after.saturating_sub(before) as f64 / elapsed_ns),
        }
    }
}

/// How long the calling thread has waited for a CPU; `None` where the kernel does not count that.
fn waited_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The clocks before the measuring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    pub(crate) kernel_minus_user_ns: i64,
    clock: sys::ClockCost,
}

impl Before {
    pub(crate) fn look() -> Self {
        Self {
            kernel_minus_user_ns: sys::kernel_minus_user_ns(),
            clock: sys::clock_cost(),
        }
    }
}

/// How many requests are under way at a time in a closed loop.
fn at_once(plan: &LaunchPlan) -> f64 {
    let by_thread = match plan.schedule {
        Schedule::Duet => plan.arms.len(),
        Schedule::Interleaved | Schedule::Sequential | Schedule::Runs(_) => 1,
    };
    (by_thread * usize::from(plan.threads)) as f64
}

/// What a value is, or why there is none.
fn said(value: Option<f64>, what: &'static str, why_not: &'static str) -> &'static str {
    if value.is_some() { what } else { why_not }
}

/// All checks, and the clocks.
pub(crate) fn all(plan: &LaunchPlan, before: &Before, tally: &Tally, went: &Went) -> (Vec<LoadCheck>, Clocks) {
    let (pace, no_stamps) = (went.pace, went.no_stamps.as_deref());
    let Disturbance { steal, waited, .. } = went.disturbance;
    let offset_ns = sys::kernel_minus_user_ns();
    let clocks = Clocks {
        resolution_ns: before.clock.resolution_ns,
        stamp_cost_ns: before.clock.cost_ns,
        kernel_minus_user_ns: before.kernel_minus_user_ns,
        change_ns: offset_ns - before.kernel_minus_user_ns,
    };
    let observations = tally.observations.max(1) as f64;
    let littles_law = tally.littles_law(went.mean_elapsed_ns()).filter(|_| pace.is_none());
    let at_once = at_once(plan);
    let late = pace.map(|pace| pace.late as f64 / pace.sent.max(1) as f64);
    let checks = vec![
        LoadCheck::at_most(
            LoadCheckKind::LittlesLaw,
            littles_law,
            at_once,
            if pace.is_some() {
                "not made in an open loop, where several requests are under way"
            } else {
                "throughput times mean RTT, against the requests that are under way at a time"
            },
        ),
        LoadCheck::at_most(
            LoadCheckKind::ClockResolution,
            Some(clocks.resolution_ns as f64),
            100.0,
            "smallest step of the clock, ns",
        ),
        LoadCheck::at_most(LoadCheckKind::StampCost, Some(clocks.stamp_cost_ns), 500.0, "ns"),
        LoadCheck::at_most(
            LoadCheckKind::ClockChange,
            Some(clocks.change_ns.abs() as f64),
            1_000.0,
            "change of the kernel's clock against the user's, ns",
        ),
        LoadCheck::at_most(
            LoadCheckKind::KernelStamps,
            tally
                .stamped_share()
                .map(|share| 1.0 - share)
                .filter(|_| no_stamps.is_none()),
            0.01,
            no_stamps.unwrap_or("share of requests without both, after warm-up"),
        ),
        LoadCheck::at_most(
            LoadCheckKind::LateSends,
            late,
            0.01,
            &if pace.is_some() {
                format!("share sent more than {} us after the intended time", LATE_NS / 1_000)
            } else {
                "not made in a closed loop, where no time is intended".to_owned()
            },
        ),
        LoadCheck::at_most(
            LoadCheckKind::LateWakeUps,
            tally
                .late_wake_ups()
                .filter(|_| plan.wait == WaitMethod::Sleep && no_stamps.is_none()),
            0.01,
            if plan.wait == WaitMethod::Sleep {
                "share woken more than 1 ms after the answer had arrived"
            } else {
                "not made: the prober does not sleep"
            },
        ),
        LoadCheck::at_most(
            LoadCheckKind::CpuSteal,
            steal,
            0.01,
            said(
                steal,
                "share of the time that the machine below took away",
                "not made: /proc/stat does not say, or the run was shorter than its ticks",
            ),
        ),
        LoadCheck::at_most(
            LoadCheckKind::CpuWait,
            waited,
            0.02,
            said(
                waited,
                "share of the time in which it was ready and had no CPU: others had it, or its quota was used up",
                "not made: the kernel does not count it (/proc/thread-self/schedstat)",
            ),
        ),
        LoadCheck::at_most(
            LoadCheckKind::Migrations,
            Some(went.migrations as f64 / observations),
            0.001,
            "between CPUs, by request",
        ),
    ];
    (checks, clocks)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::thread;

    use super::*;

    #[test]
    fn who_shares_a_cpu_waits_for_it() {
        let cpu = usize::try_from(sys::current_cpu()).unwrap();
        let ended = AtomicBool::new(false);
        let waited = thread::scope(|scope| {
            scope.spawn(|| {
                sys::pin_to_cpu(cpu).unwrap();
                while !ended.load(Relaxed) {
                    std::hint::spin_loop();
                }
            });
            let watched = scope.spawn(|| {
                sys::pin_to_cpu(cpu).unwrap();
                let watch = Watch::begin(Some(cpu));
                let start_ns = sys::monotonic_ns();
                while sys::monotonic_ns() - start_ns < 300_000_000 {
                    std::hint::spin_loop();
                }
                watch.end().waited
            });
            let waited = watched.join();
            ended.store(true, Relaxed);
            waited.unwrap()
        });
        let Some(waited) = waited else {
            println!("SKIPPED: who_shares_a_cpu_waits_for_it: the kernel does not count how long threads wait");
            return;
        };
        // Half of the time, by fair shares; the limit is a fiftieth.
        assert!(waited > 0.02 && waited <= 1.0, "{waited}");
    }

    #[test]
    fn two_threads_are_as_disturbed_as_the_more_disturbed_one() {
        let one = Disturbance {
            switches: 2,
            steal: Some(0.1),
            waited: Some(0.3),
        };
        let other = Disturbance {
            switches: 3,
            steal: None,
            waited: Some(0.2),
        };
        let both = one.and(other);
        assert_eq!((both.switches, both.steal, both.waited), (5, None, Some(0.3)));
    }
}
