//! A run from its plan to its file and summary.

use std::iter::once;
use std::panic::resume_unwind;
use std::thread;

use model::{LaunchPlan, LaunchPlanError, LoadSummary, RateSummary};

use crate::check::{self, Before};
use crate::error::Error;
use crate::live::Live;
use crate::prober::{Prober, Went};
use crate::recorder::Output;
use crate::sys;

/// Sends all requests of a plan and writes what happened; stops early, with a complete file, when a signal asks for
/// it ([`crate::stop_on_signals`]), when more requests have failed than the plan allows in all, or when the rate of an
/// open loop is far from held.
///
/// # Errors
/// When the plan makes no sense, there are fewer CPUs than threads, an arm refuses the first connection, or the file
/// cannot be written. Nothing is left then. Failing requests are no error: compare [`LoadSummary::error_share`] with the
/// plan.
pub fn run(plan: &LaunchPlan) -> Result<LoadSummary, Error> {
    plan.validate().map_err(LaunchPlanError::from)?;
    let cpus = cpus(plan)?;
    let mut live = Some(Live::new(plan));
    if let Some(cpu) = plan.cpu {
        sys::pin_to_cpu(cpu).map_err(|source| Error::Cpu { cpu, source })?;
    }
    let before = Before::look();
    let output = Output::create(plan, before.kernel_minus_user_ns)?;
    let mut probers = Vec::new();
    for (thread, cpu) in (0..plan.threads).zip(cpus) {
        let share = plan.thread_share(thread);
        let live = live.take().unwrap_or_else(|| Live::hidden(&share));
        probers.push(Prober::new(share, cpu, &output, thread, plan.threads, live)?);
    }
    let went = measure(probers, &output)?;
    let (tally, first_failures) = output.finish(plan)?;
    let (checks, clocks) = check::all(plan, &before, &tally, &went);

    Ok(LoadSummary {
        rounds: went.rounds,
        observations: tally.observations,
        warm_up: tally.warm_up,
        requests_sent: plan
            .arms
            .iter()
            .zip(&went.sent)
            .map(|(target, sent)| (target.arm.clone(), *sent))
            .collect(),
        error_share: tally.error_share(),
        reconnections: went.reopened,
        stamped_share: tally.stamped_share(),
        unstamped: tally.unstamped,
        no_kernel_stamps: went.no_stamps.clone(),
        littles_law: tally.littles_law(went.mean_elapsed_ns()),
        between_requests_ns: tally
            .between_requests_ns(went.elapsed_ns)
            .filter(|_| went.pace.is_none()),
        rate: went
            .pace
            .zip(plan.arrivals.rate())
            .map(|(pace, requested_per_s)| RateSummary {
                requested_per_s,
                reached_per_s: pace.reached(),
                held: pace.held() && went.finished,
                late_sends: pace.late,
                largest_delay_ns: pace.latest_ns,
            }),
        elapsed_s: went.mean_elapsed_ns() as f64 / 1e9,
        writing_s: went.writing_ns as f64 / 1e9,
        involuntary_context_switches: went.disturbance.switches,
        peak_memory_bytes: sys::peak_memory_bytes(),
        cpu: plan.cpu,
        clocks,
        checks,
        finished: went.finished,
        errors: tally.errors,
        first_failures,
        output: plan.output.clone(),
    })
}

/// One for each thread: the plan's and those after it, or none in particular.
fn cpus(plan: &LaunchPlan) -> Result<Vec<Option<usize>>, Error> {
    let threads = usize::from(plan.threads);
    let allowed = sys::allowed_cpus();
    let cpus: Vec<usize> = match plan.cpu {
        // Whether the first is to be had is seen when the thread is pinned to it.
        Some(first) => once(first)
            .chain(allowed.into_iter().filter(|cpu| *cpu > first))
            .collect(),
        None => allowed,
    };
    if threads > 1 && cpus.len() < threads {
        let from = plan.cpu.map_or(String::new(), |cpu| format!(" from CPU {cpu} on"));
        return Err(Error::Threads {
            threads: plan.threads,
            cpus: cpus.len(),
            from,
        });
    }
    Ok(match plan.cpu {
        Some(_) => cpus.into_iter().take(threads).map(Some).collect(),
        None => vec![None; threads],
    })
}

/// The first on this thread, the others on their own, all at the same time.
fn measure(probers: Vec<Prober<'_>>, output: &Output) -> Result<Went, Error> {
    thread::scope(|scope| {
        let mut probers = probers.into_iter();
        let first = probers.next().expect("a plan has at least one thread");
        let others: Vec<_> = probers.map(|prober| scope.spawn(|| prober.measure(output))).collect();
        let first = first.measure(output)?;
        others.into_iter().try_fold(first, |went, other| {
            let other = other.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            Ok(went.and(other))
        })
    })
}
