//! What is seen on a terminal while a run lasts: requests done, time left, the difference so far. Drawn by a thread of its
//! own, away from the prober's CPU; the prober leaves numbers for it and nothing else.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dataset::RequestOutcome;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::LaunchPlan;

use crate::connection::Outcome;
use crate::recorder::Place;
use crate::sys;

const REDRAW: Duration = Duration::from_millis(250);
/// Differences of so many arms find room on a line.
const SHOWN: usize = 3;

/// The numbers that the display shows.
#[derive(Debug, Default)]
struct Shown {
    done: AtomicU64,
    ended: AtomicBool,
    /// For each arm but the first: mean difference from it and half-width of its 95 % interval, ns; 0 and 0 when unknown.
    differences: Vec<(AtomicI64, AtomicI64)>,
}

/// The prober's side.
pub(crate) struct Live {
    shown: Arc<Shown>,
    thread: Option<JoinHandle<()>>,
    threads: u64,
    segment: u64,
    in_segment: u64,
    done: u64,
    /// Sum of the times and their number, by arm, in this segment.
    sums: Vec<(f64, u64)>,
    /// Of the segments' differences, by arm.
    moments: Vec<Moments>,
    cpu: i32,
    migrations: u64,
}

/// Mean and sum of squares, updated one by one (Welford 1962, doi:10.1080/00401706.1962.10490022).
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// Of the mean, by the normal distribution: good enough to look at.
    fn half_width(self) -> f64 {
        let count = self.count as f64;
        1.96 * (self.squares / (count - 1.0) / count).sqrt()
    }
}

impl Live {
    /// For the first thread, whose pace stands for that of all; to be called before it is pinned.
    pub(crate) fn new(plan: &LaunchPlan) -> Self {
        let mut live = Self::hidden(plan);
        live.thread = stderr().is_terminal().then(|| {
            let (shown, plan) = (Arc::clone(&live.shown), plan.clone());
            thread::spawn(move || draw(&shown, &plan))
        });
        live
    }

    /// For the other threads: shows nothing.
    pub(crate) fn hidden(plan: &LaunchPlan) -> Self {
        let arms = plan.arms.len();
        let shown = Arc::new(Shown {
            differences: (1..arms).map(|_| Default::default()).collect(),
            ..Shown::default()
        });
        Self {
            shown,
            thread: None,
            threads: plan.threads.into(),
            segment: plan.segment_rounds * arms as u64,
            in_segment: 0,
            done: 0,
            sums: vec![(0.0, 0); arms],
            moments: vec![Moments::default(); arms],
            cpu: -1,
            migrations: 0,
        }
    }

    /// How often the prober was found on another CPU, looked at once a segment.
    pub(crate) fn migrations(&self) -> u64 {
        self.migrations
    }

    /// Takes note of a request.
    pub(crate) fn saw(&mut self, place: Place, outcome: &Outcome) {
        self.done += 1;
        self.in_segment += 1;
        if self.in_segment == self.segment {
            let cpu = sys::current_cpu();
            self.migrations += u64::from(self.cpu >= 0 && cpu != self.cpu);
            self.cpu = cpu;
            self.end_segment();
        }
        if self.thread.is_none() {
            return;
        }
        self.shown.done.store(self.done * self.threads, Relaxed);
        if outcome.status == RequestOutcome::Answered && !place.warm_up {
            let wire = outcome.kernel_rx_ns.zip(outcome.kernel_tx_ns);
            let time_ns = wire.map_or(outcome.user_receive_ns - outcome.user_send_ns, |(rx, tx)| {
                rx.get() - tx.get()
            });
            let (sum, count) = &mut self.sums[usize::from(place.arm)];
            *sum += time_ns as f64;
            *count += 1;
        }
    }

    fn end_segment(&mut self) {
        self.in_segment = 0;
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

impl Drop for Live {
    fn drop(&mut self) {
        self.shown.ended.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // It draws for itself alone: how it ended does not matter.
            _ = thread.join();
        }
    }
}

fn draw(shown: &Shown, plan: &LaunchPlan) {
    if let Some(cpu) = plan.cpu {
        // Where there is no other CPU, it has to run on this one.
        _ = sys::keep_off_cpu(cpu);
    }
    let requests = plan.rounds * plan.arms.len() as u64;
    let bar = ProgressBar::with_draw_target(Some(requests), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:20}] {pos}/{len}, {eta} left{msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(format!("{} {}", plan.condition, plan.launch));
    while !shown.ended.load(Relaxed) {
        bar.set_position(shown.done.load(Relaxed));
        bar.set_message(differences(shown, plan));
        thread::sleep(REDRAW);
    }
    bar.finish_and_clear();
}

fn differences(shown: &Shown, plan: &LaunchPlan) -> String {
    let named = plan.arms.iter().skip(1).zip(&shown.differences);
    named
        .map(|(target, (mean, half))| (target, mean.load(Relaxed) as f64, half.load(Relaxed) as f64))
        .filter(|(_, _, half)| *half > 0.0)
        .take(SHOWN)
        .map(|(target, mean, half)| format!(", {} {:+.2} ± {:.2} µs", target.arm, mean / 1e3, half / 1e3))
        .collect()
}
