//! The measuring loop.

use std::collections::BTreeMap;

use dataset::{FileHeader, Observation, ObservationWriter, Status};

use crate::connection::{Arm, Outcome};
use crate::error::Error;
use crate::plan::{Plan, Schedule};
use crate::progress::Progress;
use crate::schedule::Steps;
use crate::summary::{Summary, Tally};
use crate::sys;

/// Rows held in memory before they are written between two rounds.
const BUFFER_ROWS: u64 = 131_072;
/// Rounds after a write that are flagged as warm-up: writing has emptied caches and let the servers sleep.
const ROUNDS_AFTER_WRITE: u32 = 32;

const BLANK: Observation = Observation {
    round: 0,
    position: 0,
    arm: 0,
    sequence: 0,
    intended_send_ns: 0,
    user_send_ns: 0,
    kernel_tx_ns: None,
    kernel_rx_ns: None,
    user_receive_ns: 0,
    status: Status::Ok,
    http_status: 0,
    bytes: 0,
    warm_up: true,
};

/// Sends all requests of a plan and writes what happened; stops early, with a complete file, when a signal asks for
/// it ([`crate::stop_on_signals`]) or when more requests have failed than the plan allows in all.
///
/// # Errors
/// When the plan makes no sense, an arm refuses the first connection, or the file cannot be written. Nothing is left
/// then. Failing requests are no error: compare [`Summary::error_share`] with the plan.
pub fn run(plan: &Plan) -> Result<Summary, Error> {
    plan.validate()?;
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
    let mut recorder = Recorder::new(plan)?;
    let switches = sys::involuntary_context_switches();
    let start_ns = sys::monotonic_ns();
    let finished = measure(plan, &mut arms, &mut recorder)?;
    recorder.flush()?;
    let elapsed_ns = sys::monotonic_ns() - start_ns - recorder.writing_ns;
    let switches = sys::involuntary_context_switches() - switches;
    let Recorder {
        writer,
        tally,
        writing_ns,
        reasons,
        ..
    } = recorder;
    writer.finish()?;

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
        late_sends: None,
        elapsed_s: elapsed_ns as f64 / 1e9,
        writing_s: writing_ns as f64 / 1e9,
        involuntary_context_switches: switches,
        peak_memory_bytes: sys::peak_memory_bytes(),
        cpu: plan.cpu,
        finished,
        warnings: Vec::new(),
        errors: tally.errors,
        reasons: reasons
            .into_iter()
            .map(|((arm, status), why)| reason(plan, arm, status, why))
            .collect(),
        output: plan.output.clone(),
    };
    summary.judge(arms.iter().find_map(|arm| arm.no_stamps.as_deref()));
    Ok(summary)
}

fn reason(plan: &Plan, arm: u16, status: Status, why: &str) -> String {
    format!(
        "arm `{}` had requests that ended as `{}`: {why}",
        plan.arms[usize::from(arm)].arm,
        status.text()
    )
}

/// Whether all steps were done.
fn measure(plan: &Plan, arms: &mut [Arm], recorder: &mut Recorder) -> Result<bool, Error> {
    let requests = plan.rounds * arms.len() as u64;
    let allowed_errors = plan.max_error_share * requests as f64;
    let mut sequences = vec![0_u32; arms.len()];
    let mut errors = 0_u64;
    let mut done = 0_u64;
    let mut flagged_steps = 0_u32;
    let segment_steps = match plan.schedule {
        Schedule::Interleaved => plan.segment_rounds * arms.len() as u64,
        Schedule::Sequential => plan.segment_rounds,
    };
    let progress = Progress::new(requests, format!("{} {}", plan.condition, plan.launch));
    let mut steps = Steps::new(plan);
    while let Some(step) = steps.advance() {
        if sys::received_signal().is_some() || errors as f64 > allowed_errors {
            return Ok(false);
        }
        if !recorder.has_room(step.arms.len()) {
            recorder.flush()?;
            flagged_steps = ROUNDS_AFTER_WRITE;
        }
        if done.is_multiple_of(segment_steps) {
            progress.set(done);
        }
        let warm_up = u64::from(step.round) < plan.warm_up_rounds || flagged_steps > 0;
        for (position, &arm) in (0_u16..).zip(step.arms) {
            let outcome = arms[usize::from(arm)].exchange();
            let sequence = &mut sequences[usize::from(arm)];
            let row = Observation {
                round: step.round,
                position,
                arm,
                sequence: *sequence,
                warm_up,
                ..BLANK
            };
            *sequence += 1;
            errors += u64::from(outcome.status != Status::Ok);
            recorder.record(row, &outcome);
        }
        done += step.arms.len() as u64;
        flagged_steps = flagged_steps.saturating_sub(1);
    }
    Ok(true)
}

/// Holds rows until there is time to write them.
struct Recorder {
    writer: ObservationWriter,
    rows: Vec<Observation>,
    capacity: usize,
    tally: Tally,
    writing_ns: i64,
    /// The first reason for each failure of each arm.
    reasons: BTreeMap<(u16, Status), &'static str>,
}

impl Recorder {
    fn new(plan: &Plan) -> Result<Self, Error> {
        let names = plan.arms.iter().map(|target| target.arm.clone()).collect();
        let header = FileHeader {
            condition: plan.condition.clone(),
            launch: plan.launch,
            arms: names,
        };
        let writer = ObservationWriter::create(&plan.output, header)?;
        let needed = (plan.rounds * plan.arms.len() as u64).min(BUFFER_ROWS);
        let capacity = usize::try_from(needed).unwrap_or(0).max(plan.arms.len());
        // Written once, so that no page of it is missing when it is filled.
        let mut rows = vec![BLANK; capacity];
        rows.clear();
        Ok(Self {
            writer,
            rows,
            capacity,
            tally: Tally::default(),
            writing_ns: 0,
            reasons: BTreeMap::new(),
        })
    }

    fn has_room(&self, rows: usize) -> bool {
        self.rows.len() + rows <= self.capacity
    }

    fn record(&mut self, row: Observation, outcome: &Outcome) {
        if let Some(why) = outcome.why {
            self.reasons.entry((row.arm, outcome.status)).or_insert(why);
        }
        self.rows.push(Observation {
            // A closed loop intends to send when the last answer is there.
            intended_send_ns: outcome.user_send_ns,
            user_send_ns: outcome.user_send_ns,
            kernel_tx_ns: outcome.kernel_tx_ns,
            kernel_rx_ns: outcome.kernel_rx_ns,
            user_receive_ns: outcome.user_receive_ns,
            status: outcome.status,
            http_status: outcome.http_status,
            bytes: outcome.bytes,
            warm_up: row.warm_up || outcome.fresh,
            ..row
        });
    }

    fn flush(&mut self) -> Result<(), Error> {
        let start_ns = sys::monotonic_ns();
        self.tally.add(&self.rows);
        self.writer.write(&self.rows)?;
        self.rows.clear();
        self.writing_ns += sys::monotonic_ns() - start_ns;
        Ok(())
    }
}
