//! The observation of a server by a client of the runner: a number of requests, and the functions or system calls by which
//! the server received them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use dataset::{ObservedCalls, PayloadCount, ServerFault};
use loadgen::Client;
use readhook_telemetry::FUNCTIONS;
use serde::{Deserialize, Serialize};

use super::trace;
use crate::blind_spots::{self, BlindSpot};
use crate::launch::local::lone_arm::LoneArm;
use crate::launch::local::spec::LaunchSpec;
use crate::launch::telemetry::HookTelemetry;

/// Requests of an observation.
const REQUESTS: u64 = 100;
/// Longest wait for an answer; a traced server is slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// The result of an observation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ProbeResult {
    /// Why the server could not be observed.
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

/// Starts the arm of this name and sends it requests. `traced` is the file with the trace of its system calls, if there is one. This process must
/// be the child of one that entered the launch's isolation level.
///
/// # Errors
/// If something else than the server is to blame for a failure.
pub(crate) fn run(spec: &LaunchSpec, arm: &str, traced: Option<&Path>) -> Result<ProbeResult> {
    let mut result = ProbeResult {
        requests: REQUESTS,
        ..ProbeResult::default()
    };
    let (mut client_ports, mut server_port) = (Vec::new(), 0);
    result.fault = LoneArm::run(spec, arm, |running| {
        let before = running.telemetry()?;
        let mut client = Client::new(&running.target, &spec.experiment.request, PATIENCE);
        for number in 1..=REQUESTS {
            if let Err((status, why)) = client.ask() {
                return Err(running.server()?.failed(status, number, &why)?.into());
            }
        }
        result.sent_bytes = client.request_bytes() as u64 * REQUESTS;
        result.connections = client.ports().len() as u64;
        if let (Some(before), Some(after)) = (before, running.telemetry()?) {
            result.count(&before, &after);
        }
        let server = running.server()?;
        for process in server.processes.processes() {
            result.processes.insert(process.name());
            result
                .blind_spots
                .extend(blind_spots::of_process(&process.path, &spec.hook));
        }
        server_port = server.address.port();
        client_ports = client.ports().to_vec();
        Ok(())
    })?;
    if let (Some(path), None) = (traced, &result.fault) {
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        trace::read(&String::from_utf8_lossy(&text), server_port, &client_ports, &mut result);
    }
    Ok(result)
}

impl ProbeResult {
    /// Adds what the hook counted between two readings of its telemetry.
    fn count(&mut self, before: &HookTelemetry, after: &HookTelemetry) {
        let calls = |telemetry: &HookTelemetry| dataset::hook_coverage(&telemetry.counters).calls;
        let earlier = calls(before);
        let mut accepting = calls(after);
        accepting.retain(|function, _| function.starts_with("accept"));
        let sockets = after.counters.sockets_accepted - before.counters.sockets_accepted;
        // A server with one accepting function can wait in a call that it made before the first reading.
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
