//! The closed loop: the next request is sent when the response to the previous one is complete.

use std::hint::spin_loop;

use model::{LaunchPlan, Schedule, WaitMethod};

use crate::connection::{ArmConnections, RECEIVES_PER_CLOCK, RequestResult};
use crate::error::LoadgenError;
use crate::progress::ProgressDisplay;
use crate::recorder::{Recorder, RequestId, WARM_UP_ROUNDS_AFTER_WRITE};
use crate::request_order::RequestOrder;
use crate::socket;

/// Sends all requests of a plan in a closed loop, and returns whether all were sent.
pub(crate) fn send_all(
    plan: &LaunchPlan,
    arms: &mut [ArmConnections],
    recorder: &mut Recorder<'_>,
    progress: &mut ProgressDisplay,
) -> Result<bool, LoadgenError> {
    let duet = plan.schedule == Schedule::Duet;
    let mut sequences = vec![0_u32; arms.len()];
    let mut outcomes: Vec<Option<RequestResult>> = vec![None; arms.len()];
    let mut warm_up_steps = 0_u32;
    let mut order = RequestOrder::new(plan);
    while let Some(step) = order.advance() {
        if recorder.stopped() {
            return Ok(false);
        }
        if !recorder.has_room(step.arms.len()) {
            recorder.flush()?;
            warm_up_steps = WARM_UP_ROUNDS_AFTER_WRITE;
        }
        let warm_up = u64::from(step.round) < plan.warm_up_rounds || warm_up_steps > 0;
        let connection = (step.round % u32::from(plan.connections)) as u16;
        if duet {
            send_duet(plan.wait, arms, step.arms, (connection, step.message), &mut outcomes);
        }
        for (position, &arm) in (0_u16..).zip(step.arms) {
            let index = usize::from(arm);
            let outcome = if duet {
                outcomes[index].take()
            } else {
                send_one(&mut arms[index], connection, step.message)
            };
            let Some(outcome) = outcome else { continue };
            let id = RequestId {
                round: step.round,
                position,
                arm,
                sequence: sequences[index],
                connection,
                message: step.message,
                warm_up,
            };
            sequences[index] += 1;
            recorder.record(id, &outcome);
            progress.record(id, &outcome);
        }
        warm_up_steps = warm_up_steps.saturating_sub(1);
    }
    Ok(true)
}

/// Sends one request and waits for its outcome.
fn send_one(arm: &mut ArmConnections, connection: u16, message: u16) -> Option<RequestResult> {
    let connection = usize::from(connection);
    arm.begin(connection, message, None).or_else(|| arm.wait(connection))
}

/// Sends one request to each arm at the same time and waits for all outcomes.
fn send_duet(
    wait: WaitMethod,
    arms: &mut [ArmConnections],
    order: &[u16],
    (connection, message): (u16, u16),
    outcomes: &mut [Option<RequestResult>],
) {
    let connection = usize::from(connection);
    for &arm in order {
        let arm = usize::from(arm);
        outcomes[arm] = arms[arm].begin(connection, message, None);
    }
    let mut receives = 0_u32;
    while outcomes.iter().any(Option::is_none) {
        receives = receives.wrapping_add(1);
        if wait == WaitMethod::Sleep {
            for arm in arms.iter_mut() {
                arm.take_sent_stamp(connection);
            }
            socket::wait_for_any(
                arms.iter().flat_map(ArmConnections::sockets_in_use),
                socket::LONGEST_WAIT_NS,
            );
        }
        let read_clock = wait == WaitMethod::Sleep || receives.is_multiple_of(RECEIVES_PER_CLOCK);
        for (arm, outcome) in arms.iter_mut().zip(outcomes.iter_mut()) {
            if outcome.is_none() {
                *outcome = arm.poll(connection, read_clock);
            }
        }
        spin_loop();
    }
}
