//! One arm alone, asked and not measured: whether it works, what it answers, about how long that takes.

pub(crate) mod compare;
pub(crate) mod subject;

use std::time::Duration;

use anyhow::{Context, Result};
use dataset::{ServerFault, ServerFaultKind};
use isolation::LaunchNetwork;
use loadgen::Client;
use model::{Experiment, Message, ServerUnderTest};
use serde::{Deserialize, Serialize};

use crate::launch::local::Running;
use crate::launch::local::process_set::Process;
use crate::launch::spec::LaunchSpec;

/// How often it is asked.
pub(crate) const ASKED: u64 = 300;
/// Longest wait for an answer of a server that has answered before.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trial {
    pub(crate) arm: String,
    /// Why it cannot be measured.
    pub(crate) fault: Option<ServerFault>,
    /// What it answers, without what is known to differ from one time to another.
    pub(crate) answer: Vec<u8>,
    /// Whether its answers differ from each other nevertheless.
    pub(crate) varies: bool,
    /// Median time for an answer, ns, of a client that sleeps meanwhile.
    pub(crate) rtt_ns: i64,
    /// From its start until it answered, s.
    pub(crate) ready_s: f64,
    /// Payloads that our hook saw while it was asked, where that is loaded.
    pub(crate) receives: Option<u64>,
    /// Names of its processes.
    pub(crate) processes: Vec<String>,
}

/// Tries the arm of this name; this process must be the child of one that entered the level.
pub(crate) fn run(spec: &LaunchSpec, arm: &str) -> Result<Trial> {
    let experiment = &spec.experiment;
    let index = experiment.arms.iter().position(|other| other.name == arm);
    let index = index.with_context(|| format!("there is no arm {arm}"))?;
    let order = spec.order(experiment)?;
    let network = LaunchNetwork::build(spec.topology, spec.level)?;
    network.enter_server_end()?;
    let mut trial = Trial {
        arm: arm.to_owned(),
        fault: None,
        answer: Vec::new(),
        varies: false,
        rtt_ns: 0,
        ready_s: 0.0,
        receives: None,
        processes: Vec::new(),
    };
    let tried = Running::start(spec, experiment, &network, &order, (index, 0)).and_then(|mut running| {
        network.enter_client_end()?;
        trial.ready_s = running.server.ready_after.as_secs_f64();
        ask(&mut trial, &mut running, experiment)?;
        running.stop(false)
    });
    if let Err(error) = tried {
        // What is not the server's fault is this program's.
        trial.fault = Some(error.downcast_ref::<ServerFault>().cloned().ok_or(error)?);
    }
    Ok(trial)
}

fn ask(trial: &mut Trial, running: &mut Running<'_>, experiment: &Experiment) -> Result<()> {
    let varying = match &experiment.sut {
        ServerUnderTest::Command(program) => &program.varying[..],
        _ => &[],
    };
    let before = running.receives()?;
    let target = running.target();
    let mut client = Client::new(&target, &experiment.request, PATIENCE);
    let mut rtts_ns = Vec::new();
    for number in 0..ASKED {
        let reply = match client.ask() {
            Ok(reply) => reply,
            Err((status, why)) => return Err(running.server.failed(status, number + 1, &why)?.into()),
        };
        if let Some(why) = reply.refused {
            return Err(running.server.fault(ServerFaultKind::WrongAnswer, why).into());
        }
        let answer = lasting(&experiment.request, varying, &reply.bytes);
        if number == 0 {
            trial.answer = answer;
        } else {
            trial.varies |= answer != trial.answer;
        }
        rtts_ns.push(reply.rtt_ns);
    }
    let settled = &mut rtts_ns[usize::try_from(ASKED / 2)?..];
    settled.sort_unstable();
    trial.rtt_ns = settled[settled.len() / 2];
    trial.receives = running.receives()?.zip(before).map(|(after, before)| after - before);
    trial.processes = running.server.family.processes().iter().map(Process::name).collect();
    Ok(())
}

/// An answer without the header lines that differ from one time to another.
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
