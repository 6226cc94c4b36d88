//! One thread of the prober: its share of the plan, its connections, its CPU.

use model::{Arrivals, LaunchPlan};

use crate::check::{Disturbance, Watch};
use crate::connection::Arm;
use crate::error::Error;
use crate::live::Live;
use crate::open::Pace;
use crate::recorder::{Output, Recorder};
use crate::{closed, open, sys};

/// A thread before it measures.
pub(crate) struct Prober<'a> {
    plan: LaunchPlan,
    cpu: Option<usize>,
    arms: Vec<Arm>,
    recorder: Recorder<'a>,
    live: Live,
}

/// How the measuring of one thread went, or of several together.
#[derive(Debug)]
pub(crate) struct Went {
    pub(crate) threads: u16,
    pub(crate) finished: bool,
    /// Rounds that were completed for all arms.
    pub(crate) rounds: u64,
    /// Requests sent, at least in part, by arm.
    pub(crate) sent: Vec<u64>,
    pub(crate) reopened: u64,
    /// `None` in a closed loop.
    pub(crate) pace: Option<Pace>,
    /// Without that of writing, of all threads, ns.
    pub(crate) elapsed_ns: i64,
    pub(crate) writing_ns: i64,
    pub(crate) disturbance: Disturbance,
    pub(crate) migrations: u64,
    /// Why the kernel gives no stamps.
    pub(crate) no_stamps: Option<String>,
}

impl<'a> Prober<'a> {
    /// Connects to all arms.
    pub(crate) fn new(
        plan: LaunchPlan,
        cpu: Option<usize>,
        output: &'a Output,
        thread: u16,
        threads: u16,
        live: Live,
    ) -> Result<Self, Error> {
        let mut arms: Vec<Arm> = plan.arms.iter().map(|target| Arm::new(&plan, target)).collect();
        for (arm, target) in arms.iter_mut().zip(&plan.arms) {
            arm.connect().map_err(|source| Error::Connect {
                arm: target.arm.clone(),
                address: target.address,
                source,
            })?;
        }
        Ok(Self {
            recorder: Recorder::new(&plan, output, thread, threads),
            plan,
            cpu,
            arms,
            live,
        })
    }

    /// Sends all requests of the share. The other threads stop when this one cannot end.
    pub(crate) fn measure(mut self, output: &Output) -> Result<Went, Error> {
        let went = self.send_all();
        if !went.as_ref().is_ok_and(|went| went.finished) {
            output.stop();
        }
        went
    }

    fn send_all(&mut self) -> Result<Went, Error> {
        let Self {
            plan,
            cpu,
            arms,
            recorder,
            live,
        } = self;
        if let Some(cpu) = *cpu {
            sys::pin_to_cpu(cpu).map_err(|source| Error::Cpu { cpu, source })?;
        }
        let watch = Watch::begin(*cpu);
        let start_ns = sys::monotonic_ns();
        let (finished, pace) = match plan.arrivals {
            Arrivals::Closed => (closed::measure(plan, arms, recorder, live)?, None),
            Arrivals::Constant(_) | Arrivals::Poisson(_) => {
                let pace = open::measure(plan, arms, recorder, live)?;
                (pace.finished, Some(pace))
            }
        };
        let elapsed_ns = sys::monotonic_ns() - start_ns - recorder.writing_ns;
        let disturbance = watch.end();
        recorder.flush()?;
        let sent: Vec<u64> = arms.iter().map(|arm| arm.sent.into()).collect();
        Ok(Went {
            threads: 1,
            finished,
            rounds: if finished {
                plan.rounds
            } else {
                sent.iter().copied().min().unwrap_or(0)
            },
            sent,
            reopened: arms.iter().map(|arm| arm.reopened).sum(),
            pace,
            elapsed_ns,
            writing_ns: recorder.writing_ns,
            disturbance,
            migrations: live.migrations(),
            no_stamps: arms.iter().find_map(|arm| arm.no_stamps.clone()),
        })
    }
}

impl Went {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
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
            reopened: self.reopened + other.reopened,
            pace: self.pace.zip(other.pace).map(|(one, other)| one.and(other)),
            elapsed_ns: self.elapsed_ns + other.elapsed_ns,
            writing_ns: self.writing_ns + other.writing_ns,
            disturbance: self.disturbance.and(other.disturbance),
            migrations: self.migrations + other.migrations,
            no_stamps: self.no_stamps.or(other.no_stamps),
        }
    }

    /// Mean over the threads, ns.
    pub(crate) fn mean_elapsed_ns(&self) -> i64 {
        self.elapsed_ns / i64::from(self.threads)
    }
}
