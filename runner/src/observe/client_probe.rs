//! The observation of a server by a client of the runner: a number of requests, and the functions or system calls by which
//! the server received them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use loadgen::Client;

use super::probe_result::ProbeResult;
use super::trace;
use crate::blind_spots;
use crate::launch::local::lone_arm::LoneArm;
use crate::launch::local::process_set::name;
use crate::launch::local::spec::LaunchSpec;

/// Requests of an observation.
const REQUESTS: u64 = 100;
/// Longest wait for an answer; a traced server is slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts the arm of this name and sends it requests. `traced` is the file with the trace of its system calls, if it is traced.
/// This process must be the child of one that entered the launch's isolation level.
///
/// # Errors
/// If a failure is not a fault of the server.
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
            result.processes.insert(name(&process));
            result.blind_spots.extend(blind_spots::of_process(&process, &spec.hook));
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
