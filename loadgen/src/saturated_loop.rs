//! The saturating closed loop: every connection to an arm has a request in progress.

use std::hint::spin_loop;

use model::{LaunchPlan, WaitMethod};

use crate::connection::{ArmConnections, RECEIVES_PER_CLOCK};
use crate::error::LoadgenError;
use crate::progress::ProgressDisplay;
use crate::recorder::{Recorder, RequestId, WARM_UP_ROUNDS_AFTER_WRITE};
use crate::request_order::RequestOrder;
use crate::socket;

/// The next request: round, arm and message.
type NextRequest = (u32, u16, u16);

/// Sends all requests of a plan whose schedule stays with an arm, and returns whether all were sent. Each connection sends its next
/// request when the response to its previous one is complete. No request is in progress when the schedule goes to another arm.
pub(crate) fn send_all(
    plan: &LaunchPlan,
    arms: &mut [ArmConnections],
    recorder: &mut Recorder<'_>,
    progress: &mut ProgressDisplay,
) -> Result<bool, LoadgenError> {
    let mut order = RequestOrder::new(plan);
    let mut next = advance(&mut order);
    let mut sequences = vec![0_u32; arms.len()];
    let mut slots: Vec<Option<RequestId>> = vec![None; usize::from(plan.connections)];
    let (mut current, mut in_progress, mut receives) = (0_u16, 0_usize, 0_u32);
    let mut warm_up_before = 0_u32;
    let sleeps = plan.wait == WaitMethod::Sleep;
    loop {
        if recorder.stopped() {
            return Ok(false);
        }
        if in_progress == 0 {
            let Some((round, arm, _)) = next else { return Ok(true) };
            current = arm;
            if !recorder.has_room(slots.len()) {
                recorder.flush()?;
                warm_up_before = round + WARM_UP_ROUNDS_AFTER_WRITE * u32::from(plan.connections);
            }
        }
        let index = usize::from(current);
        // A write in progress would delay requests: without room, the requests in progress end first.
        while let Some((round, arm, message)) = next.filter(|(_, arm, _)| *arm == current)
            && recorder.has_room(in_progress + 1)
            && let Some(connection) = arms[index].idle_connection()
        {
            let id = RequestId {
                round,
                position: 0,
                arm,
                sequence: sequences[index],
                connection: u16::try_from(connection).unwrap_or(u16::MAX),
                message,
                warm_up: u64::from(round) < plan.warm_up_rounds || round < warm_up_before,
            };
            sequences[index] += 1;
            next = advance(&mut order);
            if let Some(outcome) = arms[index].begin(connection, message, None) {
                recorder.record(id, &outcome);
                progress.record(id, &outcome);
            } else {
                slots[connection] = Some(id);
                in_progress += 1;
            }
        }
        receives = receives.wrapping_add(1);
        let waiting = in_progress;
        for (connection, slot) in slots.iter_mut().enumerate() {
            let Some(id) = *slot else { continue };
            if let Some(outcome) = arms[index].poll(connection, sleeps || receives.is_multiple_of(RECEIVES_PER_CLOCK)) {
                *slot = None;
                in_progress -= 1;
                recorder.record(id, &outcome);
                progress.record(id, &outcome);
            } else if sleeps {
                arms[index].take_sent_stamp(connection);
            }
        }
        if sleeps && in_progress == waiting {
            socket::wait_for_any(arms[index].sockets_in_use(), socket::LONGEST_WAIT_NS);
        } else {
            spin_loop();
        }
    }
}

/// Takes the next request from the order.
fn advance(order: &mut RequestOrder) -> Option<NextRequest> {
    let step = order.advance()?;
    Some((step.round, *step.arms.first()?, step.message))
}
