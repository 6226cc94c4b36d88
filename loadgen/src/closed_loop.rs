//! The closed loop: the next request is sent when the answer to the one before is there.

use std::hint::spin_loop;

use model::{LaunchPlan, Schedule, WaitMethod};

use crate::connection::{Arm, LOOKS_PER_CLOCK, Outcome};
use crate::error::Error;
use crate::live::Live;
use crate::recorder::{Place, ROUNDS_AFTER_WRITE, Recorder};
use crate::schedule::Steps;
use crate::sys;

/// Whether all steps were done.
pub(crate) fn measure(
    plan: &LaunchPlan,
    arms: &mut [Arm],
    recorder: &mut Recorder<'_>,
    live: &mut Live,
) -> Result<bool, Error> {
    let together = plan.schedule == Schedule::Duet;
    let mut sequences = vec![0_u32; arms.len()];
    let mut outcomes: Vec<Option<Outcome>> = vec![None; arms.len()];
    let mut flagged_steps = 0_u32;
    let mut steps = Steps::new(plan);
    while let Some(step) = steps.advance() {
        if recorder.stopped() {
            return Ok(false);
        }
        if !recorder.has_room(step.arms.len()) {
            recorder.flush()?;
            flagged_steps = ROUNDS_AFTER_WRITE;
        }
        let warm_up = u64::from(step.round) < plan.warm_up_rounds || flagged_steps > 0;
        let connection = (step.round % u32::from(plan.connections)) as u16;
        if together {
            all_at_once(plan.wait, arms, step.arms, (connection, step.request), &mut outcomes);
        }
        for (position, &arm) in (0_u16..).zip(step.arms) {
            let index = usize::from(arm);
            let outcome = if together {
                outcomes[index].take()
            } else {
                one(&mut arms[index], connection, step.request)
            };
            let Some(outcome) = outcome else { continue };
            let place = Place {
                round: step.round,
                position,
                arm,
                sequence: sequences[index],
                connection,
                request: step.request,
                warm_up,
            };
            sequences[index] += 1;
            recorder.record(place, &outcome);
            live.saw(place, &outcome);
        }
        flagged_steps = flagged_steps.saturating_sub(1);
    }
    Ok(true)
}

fn one(arm: &mut Arm, connection: u16, request: u16) -> Option<Outcome> {
    let connection = usize::from(connection);
    arm.begin(connection, request, None).or_else(|| arm.wait(connection))
}

/// Sends to all arms and waits for all of them.
fn all_at_once(
    wait: WaitMethod,
    arms: &mut [Arm],
    order: &[u16],
    (connection, request): (u16, u16),
    outcomes: &mut [Option<Outcome>],
) {
    let connection = usize::from(connection);
    for &arm in order {
        let arm = usize::from(arm);
        outcomes[arm] = arms[arm].begin(connection, request, None);
    }
    let mut looks = 0_u32;
    while outcomes.iter().any(Option::is_none) {
        looks = looks.wrapping_add(1);
        if wait == WaitMethod::Sleep {
            for arm in arms.iter_mut() {
                arm.take_stamp(connection);
            }
            sys::wait_for_any(arms.iter().flat_map(Arm::waiting), sys::LONGEST_WAIT_NS);
        }
        let look_at_clock = wait == WaitMethod::Sleep || looks.is_multiple_of(LOOKS_PER_CLOCK);
        for (arm, outcome) in arms.iter_mut().zip(outcomes.iter_mut()) {
            if outcome.is_none() {
                *outcome = arm.poll(connection, look_at_clock);
            }
        }
        spin_loop();
    }
}
