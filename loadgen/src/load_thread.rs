//! One thread of the load generator: its share of the launch plan, its connections, its CPU.

use model::{Arrivals, LaunchPlan};

use crate::clock::monotonic_ns;
use crate::connection::ArmConnections;
use crate::cpu;
use crate::disturbance::{Disturbance, DisturbanceWatch};
use crate::error::LoadgenError;
use crate::open_loop::SendTiming;
use crate::progress::ProgressDisplay;
use crate::recorder::{ObservationOutput, Recorder};
use crate::{closed_loop, open_loop, saturated_loop};

/// A thread that is connected to all arms.
pub(crate) struct LoadThread<'a> {
    plan: LaunchPlan,
    cpu: Option<usize>,
    arms: Vec<ArmConnections>,
    recorder: Recorder<'a>,
    progress: ProgressDisplay,
}

/// Outcome of one thread, or of several threads together.
#[derive(Debug)]
pub(crate) struct ThreadOutcome {
    pub(crate) threads: u16,
    /// Whether all requests were sent.
    pub(crate) finished: bool,
    /// Number of rounds that were completed for all arms.
    pub(crate) rounds: u64,
    /// Number of requests that were sent to each arm, at least in part.
    pub(crate) sent: Vec<u64>,
    pub(crate) reconnections: u64,
    /// Intended and actual send times; `None` in a closed loop.
    pub(crate) send_timing: Option<SendTiming>,
    /// Duration without the time for writing, summed over the threads, ns.
    pub(crate) elapsed_ns: i64,
    /// Time for writing, summed over the threads, ns.
    pub(crate) writing_ns: i64,
    pub(crate) disturbance: Disturbance,
    pub(crate) migrations: u64,
    /// The reason for which the kernel gives no stamps.
    pub(crate) no_stamps: Option<String>,
}

impl<'a> LoadThread<'a> {
    /// Connects to all arms for the share `plan` of thread number `thread` of `threads`.
    pub(crate) fn connect(
        plan: LaunchPlan,
        cpu: Option<usize>,
        output: &'a ObservationOutput,
        (thread, threads): (u16, u16),
        progress: ProgressDisplay,
    ) -> Result<Self, LoadgenError> {
        let mut arms = Vec::with_capacity(plan.arms.len());
        for target in &plan.arms {
            let arm = ArmConnections::connect(&plan, target).map_err(|source| LoadgenError::Connect {
                arm: target.arm.clone(),
                address: target.address,
                source,
            })?;
            arms.push(arm);
        }
        Ok(Self {
            recorder: Recorder::new(&plan, output, thread, threads),
            plan,
            cpu,
            arms,
            progress,
        })
    }

    /// Sends all requests of the share. After an error it stops the other threads.
    pub(crate) fn send_all(mut self, output: &ObservationOutput) -> Result<ThreadOutcome, LoadgenError> {
        let outcome = self.send_share();
        if !outcome.as_ref().is_ok_and(|outcome| outcome.finished) {
            output.stop();
        }
        outcome
    }

    fn send_share(&mut self) -> Result<ThreadOutcome, LoadgenError> {
        let Self {
            plan,
            cpu,
            arms,
            recorder,
            progress,
        } = self;
        if let Some(cpu) = *cpu {
            cpu::pin_to_cpu(cpu).map_err(|source| LoadgenError::Cpu { cpu, source })?;
        }
        let watch = DisturbanceWatch::start(*cpu);
        let start_ns = monotonic_ns();
        let (finished, send_timing) = match plan.arrivals {
            Arrivals::Closed => (closed_loop::send_all(plan, arms, recorder, progress)?, None),
            Arrivals::Saturated => (saturated_loop::send_all(plan, arms, recorder, progress)?, None),
            Arrivals::Constant(_) | Arrivals::Poisson(_) => {
                let timing = open_loop::send_all(plan, arms, recorder, progress)?;
                (timing.finished, Some(timing))
            }
        };
        let elapsed_ns = monotonic_ns() - start_ns - recorder.writing_ns;
        let disturbance = watch.finish();
        recorder.flush()?;
        let sent: Vec<u64> = arms.iter().map(|arm| arm.sent.into()).collect();
        Ok(ThreadOutcome {
            threads: 1,
            finished,
            rounds: if finished {
                plan.rounds
            } else {
                sent.iter().copied().min().unwrap_or(0)
            },
            sent,
            reconnections: arms.iter().map(|arm| arm.reconnections).sum(),
            send_timing,
            elapsed_ns,
            writing_ns: recorder.writing_ns,
            disturbance,
            migrations: progress.migrations(),
            no_stamps: arms.iter().find_map(|arm| arm.no_stamps.clone()),
        })
    }
}

impl ThreadOutcome {
    /// Combines the outcomes of two sets of threads.
    pub(crate) fn combine(self, other: Self) -> Self {
        Self {
            threads: self.threads + other.threads,
            finished: self.finished && other.finished,
            rounds: self.rounds + other.rounds,
            sent: self
                .sent
                .iter()
                .zip(&other.sent)
                .map(|(one, other)| one + other)
                .collect(),
            reconnections: self.reconnections + other.reconnections,
            send_timing: self
                .send_timing
                .zip(other.send_timing)
                .map(|(one, other)| one.combine(other)),
            elapsed_ns: self.elapsed_ns + other.elapsed_ns,
            writing_ns: self.writing_ns + other.writing_ns,
            disturbance: self.disturbance.combine(other.disturbance),
            migrations: self.migrations + other.migrations,
            no_stamps: self.no_stamps.or(other.no_stamps),
        }
    }

    /// Returns the duration without the time for writing, mean over the threads, ns.
    pub(crate) fn mean_elapsed_ns(&self) -> i64 {
        self.elapsed_ns / i64::from(self.threads)
    }
}
