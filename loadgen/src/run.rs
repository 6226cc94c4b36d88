//! A run from its plan to its file and summary.

use crate::check::{self, Before};
use crate::connection::Arm;
use crate::error::Error;
use crate::live::Live;
use crate::plan::{Arrivals, Plan};
use crate::recorder::Recorder;
use crate::summary::{Rate, Summary};
use crate::{closed, open, sys};

/// Sends all requests of a plan and writes what happened; stops early, with a complete file, when a signal asks for
/// it ([`crate::stop_on_signals`]), when more requests have failed than the plan allows in all, or when the rate of an
/// open loop is far from held.
///
/// # Errors
/// When the plan makes no sense, an arm refuses the first connection, or the file cannot be written. Nothing is left
/// then. Failing requests are no error: compare [`Summary::error_share`] with the plan.
pub fn run(plan: &Plan) -> Result<Summary, Error> {
    plan.validate()?;
    let mut live = Live::new(plan);
    if let Some(cpu) = plan.cpu {
        sys::pin_to_cpu(cpu).map_err(|source| Error::Cpu { cpu, source })?;
    }
    let mut arms: Vec<Arm> = plan.arms.iter().map(|target| Arm::new(plan, target)).collect();
    for (arm, target) in arms.iter_mut().zip(&plan.arms) {
        arm.connect().map_err(|source| Error::Connect {
            arm: target.arm.clone(),
            address: target.address,
            source,
        })?;
    }
    let before = Before::look(plan.cpu);
    let mut recorder = Recorder::new(plan, before.kernel_minus_user_ns)?;
    let start_ns = sys::monotonic_ns();
    let (finished, pace) = match plan.arrivals {
        Arrivals::Closed => (closed::measure(plan, &mut arms, &mut recorder, &mut live)?, None),
        Arrivals::Constant(_) | Arrivals::Poisson(_) => {
            let pace = open::measure(plan, &mut arms, &mut recorder, &mut live)?;
            (pace.finished, Some(pace))
        }
    };
    let elapsed_ns = sys::monotonic_ns() - start_ns - recorder.writing_ns;
    recorder.flush()?;
    let writing_ns = recorder.writing_ns;
    let migrations = live.migrations();
    drop(live);
    let (tally, reasons) = recorder.finish(plan)?;
    let no_stamps = arms.iter().find_map(|arm| arm.no_stamps.as_deref());
    let (checks, switches, clocks) = check::all(plan, &before, &tally, pace, elapsed_ns, migrations, no_stamps);

    let sent = |arm: &Arm| u64::from(arm.sent);
    let mut summary = Summary {
        rounds: if finished {
            plan.rounds
        } else {
            arms.iter().map(sent).min().unwrap_or(0)
        },
        observations: tally.observations,
        warm_up: tally.warm_up,
        requests_sent: plan
            .arms
            .iter()
            .zip(&arms)
            .map(|(target, arm)| (target.arm.clone(), sent(arm)))
            .collect(),
        error_share: tally.error_share(),
        reopened: arms.iter().map(|arm| arm.reopened).sum(),
        stamped_share: tally.stamped_share(),
        discarded_unstamped: tally.discarded_unstamped,
        littles_law: tally.littles_law(elapsed_ns),
        not_rtt_ns: tally.not_rtt_ns(elapsed_ns).filter(|_| pace.is_none()),
        rate: pace.zip(plan.arrivals.rate()).map(|(pace, asked)| Rate {
            asked,
            reached: pace.reached(),
            held: pace.held() && pace.finished,
            late_sends: pace.late,
            latest_send_ns: pace.latest_ns,
        }),
        elapsed_s: elapsed_ns as f64 / 1e9,
        writing_s: writing_ns as f64 / 1e9,
        involuntary_context_switches: switches,
        peak_memory_bytes: sys::peak_memory_bytes(),
        cpu: plan.cpu,
        clocks,
        checks,
        finished,
        warnings: Vec::new(),
        errors: tally.errors,
        reasons,
        output: plan.output.clone(),
    };
    summary.judge(no_stamps);
    Ok(summary)
}
