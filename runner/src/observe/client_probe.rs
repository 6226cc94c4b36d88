//! A server that is asked so often, in the process that is alone with it: what our hook saw of it, or what a trace did.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use dataset::{ObservedCalls, PayloadCount, ServerFault};
use isolation::LaunchNetwork;
use loadgen::Client;
use readhook_telemetry::FUNCTIONS;
use serde::{Deserialize, Serialize};

use super::blind_spots::{self, BlindSpot};
use super::trace;
use crate::launch::local::Running;
use crate::launch::spec::LaunchSpec;
use crate::launch::telemetry::Seen;

/// How often it is asked.
const ASKED: u64 = 100;
/// Longest wait for an answer; a traced server is slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Why it could not be asked.
    pub(crate) fault: Option<ServerFault>,
    pub(crate) requests: u64,
    /// Bytes of all requests.
    pub(crate) sent_bytes: u64,
    pub(crate) connections: u64,
    #[serde(flatten)]
    pub(crate) passed: ObservedCalls,
    pub(crate) blind_spots: BTreeSet<BlindSpot>,
    /// Names of its processes.
    pub(crate) processes: BTreeSet<String>,
}

/// Starts and asks the arm; this process must be the child of one that entered the level.
pub(crate) fn run(spec: &LaunchSpec, arm: &str, traced: Option<&Path>) -> Result<Asked> {
    let experiment = &spec.experiment;
    let index = experiment.arms.iter().position(|other| other.name == arm);
    let index = index.with_context(|| format!("there is no arm {arm}"))?;
    let order = spec.order(experiment)?;
    let network = LaunchNetwork::build(spec.topology, spec.level)?;
    network.enter_server_end()?;
    let mut asked = Asked {
        requests: ASKED,
        ..Asked::default()
    };
    let tried = Running::start(spec, experiment, &network, &order, (index, 0)).and_then(|mut running| {
        network.enter_client_end()?;
        let before = seen(&mut running)?;
        let mut client = Client::new(&running.target(), &experiment.request, PATIENCE);
        for number in 1..=ASKED {
            if let Err((status, why)) = client.ask() {
                return Err(running.server.failed(status, number, &why)?.into());
            }
        }
        asked.sent_bytes = client.request_bytes() as u64 * ASKED;
        asked.connections = client.ports().len() as u64;
        if let (Some(before), Some(after)) = (before, seen(&mut running)?) {
            asked.count(&before, &after);
        }
        for process in running.server.family.processes() {
            asked.processes.insert(process.name());
            asked
                .blind_spots
                .extend(blind_spots::of_process(&process.path, &spec.hook));
        }
        let port = running.server.address.port();
        running.stop(false)?;
        if let Some(path) = traced {
            let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            trace::read(&String::from_utf8_lossy(&text), port, client.ports(), &mut asked);
        }
        Ok(())
    });
    if let Err(error) = tried {
        // What is not the server's fault is this program's.
        asked.fault = Some(error.downcast_ref::<ServerFault>().cloned().ok_or(error)?);
    }
    Ok(asked)
}

fn seen(running: &mut Running<'_>) -> Result<Option<Seen>> {
    let Some(telemetry) = &mut running.telemetry else {
        return Ok(None);
    };
    Ok(Some(Seen::read(&telemetry.content()?, 0, 0)?))
}

impl Asked {
    /// What the hook counted meanwhile.
    fn count(&mut self, before: &Seen, after: &Seen) {
        let calls = |seen: &Seen| dataset::hook_coverage(&seen.counters).calls;
        let earlier = calls(before);
        let mut accepting = calls(after);
        accepting.retain(|function, _| function.starts_with("accept"));
        let sockets = after.counters.sockets_accepted - before.counters.sockets_accepted;
        // A server that waits in a call of its only function had made that call before.
        let only = accepting.len() == 1;
        for (function, calls) in accepting {
            let calls = calls - earlier.get(&function).copied().unwrap_or(0);
            let connections = if only { sockets } else { calls };
            if connections > 0 {
                self.passed.accepts.insert(function, connections);
            }
        }
        for record in after.records.iter().skip(before.records.len()) {
            let name = FUNCTIONS
                .get(usize::from(record.function))
                .copied()
                .unwrap_or("unknown");
            let carried: &mut PayloadCount = self.passed.received.entry(name.to_owned()).or_default();
            carried.calls += 1;
            carried.bytes += record.bytes.max(0).cast_unsigned();
        }
    }
}
