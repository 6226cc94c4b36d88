//! Disturbance of a thread by other programs and by the hypervisor while the thread measures.

use crate::clock::monotonic_ns;
use crate::cpu::{self, CpuTicks};

/// Readings of a thread before it measures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DisturbanceWatch {
    cpu: Option<usize>,
    switches: u64,
    ticks: Option<CpuTicks>,
    start_ns: i64,
    waited_ns: Option<u64>,
}

/// Disturbance of one thread, or of several together, while they measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disturbance {
    /// Number of involuntary context switches.
    pub(crate) switches: u64,
    /// Share of the time that the hypervisor withheld.
    pub(crate) steal_share: Option<f64>,
    /// Share of the time in which the thread was runnable without a CPU.
    pub(crate) wait_share: Option<f64>,
}

impl Disturbance {
    /// Combines two threads: the sum of the switches, and the larger of the shares.
    pub(crate) fn combine(self, other: Self) -> Self {
        let larger = |one: Option<f64>, other: Option<f64>| Some(one?.max(other?));
        Self {
            switches: self.switches + other.switches,
            steal_share: larger(self.steal_share, other.steal_share),
            wait_share: larger(self.wait_share, other.wait_share),
        }
    }
}

impl DisturbanceWatch {
    /// Takes the readings of the calling thread, which runs on `cpu`, or on any CPU for `None`.
    pub(crate) fn start(cpu: Option<usize>) -> Self {
        Self {
            cpu,
            switches: cpu::involuntary_context_switches(),
            ticks: CpuTicks::read(cpu),
            start_ns: monotonic_ns(),
            waited_ns: waited_ns(),
        }
    }

    /// Takes the readings again and returns the differences.
    pub(crate) fn finish(self) -> Disturbance {
        // The waiting time is read first, so that the readings below do not count as waiting.
        let waited_ns = self.waited_ns.zip(waited_ns());
        let elapsed_ns = (monotonic_ns() - self.start_ns).max(1) as f64;
        let steal_share = self
            .ticks
            .zip(CpuTicks::read(self.cpu))
            .and_then(|(before, after)| after.stolen_share_since(before));
        Disturbance {
            switches: cpu::involuntary_context_switches() - self.switches,
            steal_share,
            wait_share: waited_ns.map(|(before, after)| after.saturating_sub(before) as f64 / elapsed_ns),
        }
    }
}

/// Returns the time for which the calling thread was runnable without a CPU, ns; `None` if the kernel does not count it.
fn waited_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_that_shares_its_cpu_waits_for_it() {
        let cpu = cpu::current_cpu().unwrap();
        let ended = AtomicBool::new(false);
        let wait_share = thread::scope(|scope| {
            scope.spawn(|| {
                cpu::pin_to_cpu(cpu).unwrap();
                while !ended.load(Relaxed) {
                    std::hint::spin_loop();
                }
            });
            let watched = scope.spawn(|| {
                cpu::pin_to_cpu(cpu).unwrap();
                let watch = DisturbanceWatch::start(Some(cpu));
                let start_ns = monotonic_ns();
                while monotonic_ns() - start_ns < 300_000_000 {
                    std::hint::spin_loop();
                }
                watch.finish().wait_share
            });
            let watched = watched.join();
            ended.store(true, Relaxed);
            watched.unwrap()
        });
        let Some(wait_share) = wait_share else {
            println!("SKIPPED: a_thread_that_shares_its_cpu_waits_for_it: the kernel does not count waiting times");
            return;
        };
        // Fair scheduling gives each thread half of the time; the limit of the check is a fiftieth.
        assert!(wait_share > 0.02 && wait_share <= 1.0, "{wait_share}");
    }

    #[test]
    fn two_threads_are_as_disturbed_as_the_more_disturbed_one() {
        let one = Disturbance {
            switches: 2,
            steal_share: Some(0.1),
            wait_share: Some(0.3),
        };
        let other = Disturbance {
            switches: 3,
            steal_share: None,
            wait_share: Some(0.2),
        };
        let both = one.combine(other);
        assert_eq!((both.switches, both.steal_share, both.wait_share), (5, None, Some(0.3)));
    }
}
