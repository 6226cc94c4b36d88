//! The preflight of a foreign server: one arm runs alone and answers requests that are not measured. The result
//! contains the arm's fault, its answer and its approximate round-trip time.

pub(crate) mod compare;
pub(crate) mod subject;

use std::time::Duration;

use anyhow::Result;
use dataset::{ServerFault, ServerFaultKind};
use loadgen::Client;
use model::{Experiment, Message, ServerUnderTest};
use serde::{Deserialize, Serialize};

use crate::launch::local::lone_arm::LoneArm;
use crate::launch::local::spec::LaunchSpec;

/// Requests of a preflight.
pub(crate) const REQUESTS: u64 = 300;
/// Longest wait for an answer of a server that has answered before.
const PATIENCE: Duration = Duration::from_secs(10);

/// The result of a preflight.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreflightResult {
    /// The fault for which the arm cannot be measured.
    pub(crate) fault: Option<ServerFault>,
    /// The answer to the first request, without `Date` and without the headers that the server file lists as
    /// `varying`.
    pub(crate) answer: Vec<u8>,
    /// True if a later answer differs from [`Self::answer`].
    pub(crate) varies: bool,
    /// Median round-trip time of a client that sleeps while it waits, ns.
    pub(crate) rtt_ns: i64,
    /// Time from the start of the server until it answered, s.
    pub(crate) ready_s: f64,
    /// Payload receives that the project's hook counted; none if it is not loaded.
    pub(crate) receives: Option<u64>,
}

/// Runs the preflight of the arm with this name. The parent of this process must have entered the launch's isolation
/// level.
///
/// # Errors
/// If a failure is not a fault of the server.
pub(crate) fn run(spec: &LaunchSpec, arm: &str) -> Result<PreflightResult> {
    let mut result = PreflightResult::default();
    result.fault = LoneArm::run(spec, arm, |running| {
        result.ready_s = running.server()?.ready_after.as_secs_f64();
        send_requests(&mut result, running, &spec.experiment)
    })?;
    Ok(result)
}

fn send_requests(result: &mut PreflightResult, running: &mut LoneArm<'_>, experiment: &Experiment) -> Result<()> {
    let varying = match &experiment.sut {
        ServerUnderTest::Command(program) => &program.varying[..],
        _ => &[],
    };
    let before = counted(running)?;
    let mut client = Client::new(&running.target, &experiment.request, PATIENCE);
    let mut rtts_ns = Vec::new();
    for number in 1..=REQUESTS {
        let reply = match client.ask() {
            Ok(reply) => reply,
            Err((status, why)) => return Err(running.server()?.failed(status, number, &why)?.into()),
        };
        if let Some(why) = reply.refused {
            return Err(running.server()?.fault(ServerFaultKind::WrongAnswer, why).into());
        }
        let answer = lasting(&experiment.request, varying, &reply.bytes);
        if number == 1 {
            result.answer = answer;
        } else {
            result.varies |= answer != result.answer;
        }
        rtts_ns.push(reply.rtt_ns);
    }
    let settled = &mut rtts_ns[usize::try_from(REQUESTS / 2)?..];
    settled.sort_unstable();
    result.rtt_ns = settled[settled.len() / 2];
    result.receives = counted(running)?.zip(before).map(|(after, before)| after - before);
    Ok(())
}

/// Returns the number of payload receives that the hook has counted; none without telemetry.
fn counted(running: &mut LoneArm<'_>) -> Result<Option<u64>> {
    let telemetry = running.telemetry()?;
    Ok(telemetry.map(|telemetry| telemetry.counters.payload_receives))
}

/// Returns an HTTP answer without the `Date` header and without the headers in `varying`. Returns other answers
/// unchanged.
fn lasting(message: &Message, varying: &[String], answer: &[u8]) -> Vec<u8> {
    let Message::Http(_) = message else {
        return answer.to_vec();
    };
    let head = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map_or(answer.len(), |at| at + 2);
    let (head, body) = answer.split_at(head);
    let differs = |line: &&[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let named = varying.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()));
        named || name.eq_ignore_ascii_case(b"date")
    };
    let kept = head
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !differs(line));
    kept.flatten().chain(body).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_whatever_it_holds() {
        let message = Message::Http(model::HttpRequest::preset("minimal").unwrap());
        let answer = b"HTTP/1.1 200 OK\r\nDate: x\r\nx-id: 5\r\nServer: y\r\n\r\nDate: z\n";
        assert_eq!(
            lasting(&message, &["X-Id".to_owned()], answer),
            b"HTTP/1.1 200 OK\r\nServer: y\r\n\r\nDate: z\n"
        );
        let redis = Message::Redis {
            redis: vec!["PING".to_owned()],
        };
        assert_eq!(lasting(&redis, &[], b"+date:\r\n"), b"+date:\r\n");
    }
}
