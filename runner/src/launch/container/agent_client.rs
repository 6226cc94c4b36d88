//! The client of the agent in a container.

use std::time::Duration;

use agent::{
    ContainerRecording, CpuPlacement, HookEvidence, ServerReport, ServerStatus, StartRequest, TightLoopRequest,
};
use anyhow::{Context, Result, bail};
use engines::Image;
use engines::{ContainerState, RunningContainers};
use model::{TightLoopBlock, Usage};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Runs a verb of the agent, sends it a line, and returns its standard output.
fn command(running: &dyn RunningContainers, container: &str, words: &[&str], line: &[u8]) -> Result<Vec<u8>> {
    let mut heard = Vec::new();
    let ended = running.exec(container, &[&[Image::AGENT], words].concat(), line, &mut heard)?;
    if ended.code != 0 {
        let (code, said) = (ended.code, ended.stderr.trim());
        bail!("`agent {}` in {container} ended with {code}: {said}", words.join(" "));
    }
    Ok(heard)
}

/// Runs a verb of the agent and returns the JSON that it prints.
fn ask<T: DeserializeOwned>(running: &dyn RunningContainers, container: &str, words: &[&str]) -> Result<T> {
    let heard = command(running, container, words, b"")?;
    serde_json::from_slice(&heard).with_context(|| format!("`agent {}` in {container} gave no answer", words.join(" ")))
}

/// Returns a value as a line of JSON.
pub(super) fn line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Has process 1 of a container start a program, waits until the program is ready or exits, and returns which.
///
/// # Errors
/// If neither happens within `patience`, or the container has ended.
pub(super) fn start(
    running: &dyn RunningContainers,
    container: &str,
    start: &StartRequest,
    patience: Duration,
) -> Result<ServerReport> {
    command(running, container, &["start"], &line(start)?)?;
    let patience_s = patience.as_secs_f64().ceil().to_string();
    let asked = ask(running, container, &["ready", "--timeout-s", &patience_s]);
    match (asked, running.state(container)?) {
        (Ok(server), _) => Ok(server),
        (Err(error), ContainerState::Running) => Err(error),
        (Err(_), state) => bail!("its container {}: {}", ended(&state), running.log(container)?.trim()),
    }
}

/// Has process 1 of a container start a server and waits until it is ready.
///
/// # Errors
/// If the server exits before, or is not ready within `patience`.
pub(super) fn serve(
    running: &dyn RunningContainers,
    container: &str,
    start: &StartRequest,
    patience: Duration,
) -> Result<ServerReport> {
    let server = self::start(running, container, start, patience)?;
    let Some(ended) = end(&server.status) else {
        return Ok(server);
    };
    let hits = monitor::limit_hits_between(container, None, &usage(running, container)?);
    let hit: String = hits.iter().map(|hit| format!(", {hit}")).collect();
    bail!(
        "the server {ended} before it listened{hit}; it said: {}",
        running.log(container)?.trim()
    )
}

/// Runs a tight loop and returns its blocks.
pub(super) fn tight_loop(
    running: &dyn RunningContainers,
    container: &str,
    asked: &TightLoopRequest,
) -> Result<Vec<TightLoopBlock>> {
    let heard = command(running, container, &["tight-loop"], &line(asked)?)?;
    serde_json::from_slice(&heard).context("the tight loop gave no answer")
}

/// Returns true if a library is mapped into the processes that listen on a port.
pub(super) fn has_mapped(running: &dyn RunningContainers, container: &str, library: &str, port: u16) -> Result<bool> {
    let words = ["evidence", "--library", library, "--port", &port.to_string()];
    let evidence: HookEvidence = ask(running, container, &words)?;
    Ok(evidence.mapped)
}

/// Returns the container's last processor and its machine.
pub(super) fn place(running: &dyn RunningContainers, container: &str) -> Result<CpuPlacement> {
    ask(running, container, &["confine", "--processor", "last"])
}

/// Returns the counts and limits of a container's control group.
pub(super) fn usage(running: &dyn RunningContainers, container: &str) -> Result<Usage> {
    ask(running, container, &["usage"])
}

/// Starts to sample the resources of a container's program.
pub(super) fn watch(running: &dyn RunningContainers, container: &str, whom: &[String]) -> Result<()> {
    let words: Vec<&str> = ["start-sampling"]
        .into_iter()
        .chain(whom.iter().map(String::as_str))
        .collect();
    command(running, container, &words, b"").map(drop)
}

/// Stops the sampling and returns the samples.
pub(super) fn watched(running: &dyn RunningContainers, container: &str) -> Result<ContainerRecording> {
    ask(running, container, &["stop-sampling"])
}

/// Stops the server. Returns how it had ended before, if it had.
pub(super) fn stop(running: &dyn RunningContainers, container: &str) -> Result<Option<String>> {
    let server: ServerReport = ask(running, container, &["stop"])?;
    Ok(end(&server.status))
}

fn end(status: &ServerStatus) -> Option<String> {
    match status {
        ServerStatus::Starting | ServerStatus::Listening => None,
        ServerStatus::Exited(code) => Some(format!("ended with exit status {code}")),
        ServerStatus::Killed(signal) => Some(format!("was ended by signal {signal}")),
    }
}

fn ended(state: &ContainerState) -> String {
    match state {
        ContainerState::Running => "runs".to_owned(),
        ContainerState::Ended { code, out_of_memory } => {
            let why = if *out_of_memory {
                ", killed for want of memory"
            } else {
                ""
            };
            format!("ended with exit status {code}{why}")
        }
        ContainerState::Gone => "has gone".to_owned(),
    }
}
