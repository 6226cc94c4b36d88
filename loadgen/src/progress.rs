//! The progress display on a terminal: requests done, time left, and the differences between arms so far. A thread of its
//! own draws it on another CPU; the load generator's thread only stores numbers for it.

use std::io::{IsTerminal as _, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dataset::RequestOutcome;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::LaunchPlan;

use crate::connection::RequestResult;
use crate::cpu;
use crate::recorder::RequestId;

const REDRAW: Duration = Duration::from_millis(250);
/// Number of arms whose difference fits on the line.
const SHOWN_ARMS: usize = 3;

/// The numbers that the display shows.
#[derive(Debug, Default)]
struct ShownNumbers {
    requests: AtomicU64,
    ended: AtomicBool,
    /// For each arm except the first: the mean difference from the first arm and the half-width of its 95 % interval,
    /// ns. Both are 0 until they are known.
    differences: Vec<(AtomicI64, AtomicI64)>,
}

/// The load generator's side of the display. It also counts migrations between CPUs.
pub(crate) struct ProgressDisplay {
    shown: Arc<ShownNumbers>,
    thread: Option<JoinHandle<()>>,
    threads: u64,
    requests_per_segment: u64,
    requests_in_segment: u64,
    requests: u64,
    /// Sum and number of the times in this segment, by arm.
    sums: Vec<(f64, u64)>,
    /// Moments of the differences over segments, by arm.
    moments: Vec<RunningMoments>,
    cpu: Option<usize>,
    migrations: u64,
}

/// Mean and sum of squares that are updated value by value (Welford 1962, DOI 10.1080/00401706.1962.10490022).
#[derive(Clone, Copy, Debug, Default)]
struct RunningMoments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl RunningMoments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// Returns the half-width of the mean's 95 % interval by the normal distribution, which is exact enough for a display.
    fn half_width(self) -> f64 {
        let count = self.count as f64;
        1.96 * (self.squares / (count - 1.0) / count).sqrt()
    }
}

impl ProgressDisplay {
    /// Makes the display for the first thread. The progress of this thread stands for the progress of all threads. The
    /// caller must not have pinned the thread to a CPU yet, because the drawing thread inherits the affinity.
    pub(crate) fn new(plan: &LaunchPlan) -> Self {
        let mut display = Self::hidden(plan);
        display.thread = stderr().is_terminal().then(|| {
            let (shown, plan) = (Arc::clone(&display.shown), plan.clone());
            thread::spawn(move || draw(&shown, &plan))
        });
        display
    }

    /// Makes a display for any other thread, which shows nothing.
    pub(crate) fn hidden(plan: &LaunchPlan) -> Self {
        let arms = plan.arms.len();
        let shown = Arc::new(ShownNumbers {
            differences: (1..arms).map(|_| Default::default()).collect(),
            ..ShownNumbers::default()
        });
        Self {
            shown,
            thread: None,
            threads: plan.threads.into(),
            requests_per_segment: plan.segment_rounds * arms as u64,
            requests_in_segment: 0,
            requests: 0,
            sums: vec![(0.0, 0); arms],
            moments: vec![RunningMoments::default(); arms],
            cpu: None,
            migrations: 0,
        }
    }

    /// Returns the number of segments at whose end the thread was on another CPU than at the end of the previous
    /// segment.
    pub(crate) fn migrations(&self) -> u64 {
        self.migrations
    }

    /// Adds a request to the numbers of the display.
    pub(crate) fn record(&mut self, id: RequestId, outcome: &RequestResult) {
        self.requests += 1;
        self.requests_in_segment += 1;
        if self.requests_in_segment == self.requests_per_segment {
            let cpu = cpu::current_cpu();
            self.migrations += u64::from(self.cpu.is_some() && cpu != self.cpu);
            self.cpu = cpu;
            self.end_segment();
        }
        if self.thread.is_none() {
            return;
        }
        self.shown.requests.store(self.requests * self.threads, Relaxed);
        if outcome.status == RequestOutcome::Answered && !id.warm_up {
            let wire = outcome.kernel_rx_ns.zip(outcome.kernel_tx_ns);
            let time_ns = wire.map_or(outcome.user_receive_ns - outcome.user_send_ns, |(rx, tx)| {
                rx.get() - tx.get()
            });
            let (sum, count) = &mut self.sums[usize::from(id.arm)];
            *sum += time_ns as f64;
            *count += 1;
        }
    }

    fn end_segment(&mut self) {
        self.requests_in_segment = 0;
        let mean = |(sum, count): (f64, u64)| (count > 0).then(|| sum / count as f64);
        let first = mean(self.sums[0]);
        for ((sums, moments), shown) in self
            .sums
            .iter()
            .zip(&mut self.moments)
            .skip(1)
            .zip(&self.shown.differences)
        {
            if let (Some(first), Some(other)) = (first, mean(*sums)) {
                moments.add(other - first);
            }
            if moments.count > 1 {
                shown.0.store(moments.mean as i64, Relaxed);
                shown.1.store(moments.half_width() as i64, Relaxed);
            }
        }
        self.sums.fill((0.0, 0));
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        self.shown.ended.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the drawing thread does not affect the measurement.
            _ = thread.join();
        }
    }
}

fn draw(shown: &ShownNumbers, plan: &LaunchPlan) {
    if let Some(cpu) = plan.cpu {
        // This fails on a machine with a single CPU. The thread then draws on that CPU.
        _ = cpu::keep_off_cpu(cpu);
    }
    let requests = plan.rounds * plan.arms.len() as u64;
    let bar = ProgressBar::with_draw_target(Some(requests), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:20}] {pos}/{len}, {eta} left{msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(format!("{} {}", plan.condition, plan.launch));
    while !shown.ended.load(Relaxed) {
        bar.set_position(shown.requests.load(Relaxed));
        bar.set_message(differences_text(shown, plan));
        thread::sleep(REDRAW);
    }
    bar.finish_and_clear();
}

fn differences_text(shown: &ShownNumbers, plan: &LaunchPlan) -> String {
    let named = plan.arms.iter().skip(1).zip(&shown.differences);
    named
        .map(|(target, (mean, half))| (target, mean.load(Relaxed) as f64, half.load(Relaxed) as f64))
        .filter(|(_, _, half)| *half > 0.0)
        .take(SHOWN_ARMS)
        .map(|(target, mean, half)| format!(", {} {:+.2} ± {:.2} µs", target.arm, mean / 1e3, half / 1e3))
        .collect()
}
