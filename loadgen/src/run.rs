//! A run from its launch plan to its output file and summary.

use std::iter::once;
use std::panic::resume_unwind;
use std::thread;

use model::{LaunchPlan, LaunchPlanError, LoadSummary, RateSummary};

use crate::check::{self, ClocksBefore};
use crate::cpu;
use crate::error::LoadgenError;
use crate::load_thread::{LoadThread, ThreadOutcome};
use crate::progress::ProgressDisplay;
use crate::recorder::ObservationOutput;

/// Sends all requests of a launch plan and writes their observations. Stops early, with a complete output file, when a
/// signal asks for it ([`crate::stop_on_signals`]), when more requests have failed than the plan allows, or when the backlog
/// of an open loop is too long.
///
/// # Errors
/// When the plan is not valid, there are fewer CPUs than threads, an arm refuses the first connection, or the output file
/// cannot be written. No output file is left then. Failed requests are not an error: compare [`LoadSummary::error_share`]
/// with [`LaunchPlan::max_error_share`].
pub fn run(plan: &LaunchPlan) -> Result<LoadSummary, LoadgenError> {
    plan.validate().map_err(LaunchPlanError::from)?;
    let cpus = thread_cpus(plan)?;
    let mut progress = Some(ProgressDisplay::new(plan));
    if let Some(cpu) = plan.cpu {
        cpu::pin_to_cpu(cpu).map_err(|source| LoadgenError::Cpu { cpu, source })?;
    }
    let clocks = ClocksBefore::read();
    let output = ObservationOutput::create(plan, clocks.kernel_minus_user_ns)?;
    let mut threads = Vec::new();
    for (thread, cpu) in (0..plan.threads).zip(cpus) {
        let share = plan.thread_share(thread);
        let progress = progress.take().unwrap_or_else(|| ProgressDisplay::hidden(&share));
        let number = (thread, plan.threads);
        threads.push(LoadThread::connect(share, cpu, &output, number, progress)?);
    }
    let outcome = send_all(threads, &output)?;
    let clocks = clocks.compare();
    let (tally, first_failures) = output.finish(plan)?;
    let checks = check::all(plan, &clocks, &tally, &outcome);
    let timing = outcome.send_timing;
    let between_requests_ns = tally.between_requests_ns(outcome.elapsed_ns);
    Ok(LoadSummary {
        rounds: outcome.rounds,
        observations: tally.observations,
        warm_up: tally.warm_up,
        requests_sent: plan
            .arms
            .iter()
            .zip(&outcome.sent)
            .map(|(target, sent)| (target.arm.clone(), *sent))
            .collect(),
        error_share: tally.error_share(),
        reconnections: outcome.reconnections,
        stamped_share: tally.stamped_share(),
        unstamped: tally.unstamped,
        littles_law: tally.littles_law(outcome.mean_elapsed_ns()),
        between_requests_ns: between_requests_ns.filter(|_| timing.is_none()),
        rate: timing
            .zip(plan.arrivals.rate())
            .map(|(timing, requested_per_s)| RateSummary {
                requested_per_s,
                reached_per_s: timing.reached_per_s(),
                held: timing.held() && outcome.finished,
                late_sends: timing.late,
                largest_delay_ns: timing.largest_delay_ns,
            }),
        elapsed_s: outcome.mean_elapsed_ns() as f64 / 1e9,
        writing_s: outcome.writing_ns as f64 / 1e9,
        involuntary_context_switches: outcome.disturbance.switches,
        peak_memory_bytes: cpu::peak_memory_bytes(),
        cpu: plan.cpu,
        clocks,
        checks,
        finished: outcome.finished,
        errors: tally.errors,
        first_failures,
        no_kernel_stamps: outcome.no_stamps,
        output: plan.output.clone(),
    })
}

/// Returns a CPU for each thread: the plan's CPU and the allowed ones after it, or `None` for each thread if the plan leaves
/// the choice to the kernel.
fn thread_cpus(plan: &LaunchPlan) -> Result<Vec<Option<usize>>, LoadgenError> {
    let threads = usize::from(plan.threads);
    let allowed = cpu::allowed_cpus();
    let cpus: Vec<usize> = match plan.cpu {
        // The first thread finds out whether it may run on the plan's CPU.
        Some(first) => once(first)
            .chain(allowed.into_iter().filter(|cpu| *cpu > first))
            .collect(),
        None => allowed,
    };
    if threads > 1 && cpus.len() < threads {
        return Err(LoadgenError::Threads {
            threads: plan.threads,
            available: cpus.len(),
            first_cpu: plan.cpu,
        });
    }
    Ok(match plan.cpu {
        Some(_) => cpus.into_iter().take(threads).map(Some).collect(),
        None => vec![None; threads],
    })
}

/// Runs the first thread's share on the calling thread and the others on threads of their own, all at the same time.
fn send_all(threads: Vec<LoadThread<'_>>, output: &ObservationOutput) -> Result<ThreadOutcome, LoadgenError> {
    thread::scope(|scope| {
        let mut threads = threads.into_iter();
        let first = threads.next().expect("a valid plan has at least one thread");
        let others: Vec<_> = threads.map(|thread| scope.spawn(|| thread.send_all(output))).collect();
        let first = first.send_all(output)?;
        others.into_iter().try_fold(first, |outcome, other| {
            let other = other.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            Ok(outcome.combine(other))
        })
    })
}
