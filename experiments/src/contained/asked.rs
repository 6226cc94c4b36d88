//! What is asked of the agent in a container.

use agent::{Evidence, Place, Sampled, Server, Start, Status, TightLoop, Use};
use anyhow::{Context, Result, bail};
use clusters::Image;
use clusters::container::{Running, State};
use dataset::Block;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest time for a server to listen, s.
const START_S: &str = "60";

/// Runs a verb of the agent and tells it a line; what it printed.
fn command(running: &dyn Running, container: &str, words: &[&str], line: &[u8]) -> Result<Vec<u8>> {
    let mut heard = Vec::new();
    let ended = running.exec(container, &[&[Image::AGENT], words].concat(), line, &mut heard)?;
    if ended.code != 0 {
        let (code, said) = (ended.code, ended.stderr.trim());
        bail!("`agent {}` in {container} ended with {code}: {said}", words.join(" "));
    }
    Ok(heard)
}

/// Runs a verb of the agent that prints one line of JSON.
fn ask<T: DeserializeOwned>(running: &dyn Running, container: &str, words: &[&str]) -> Result<T> {
    let heard = command(running, container, words, b"")?;
    serde_json::from_slice(&heard).with_context(|| format!("`agent {}` in {container} gave no answer", words.join(" ")))
}

/// A line of JSON.
fn line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Has process 1 of a container start something.
pub(super) fn start(running: &dyn Running, container: &str, start: &Start) -> Result<()> {
    command(running, container, &["start"], &line(start)?).map(drop)
}

/// The same, of something that listens: waits until it does.
pub(super) fn serve(running: &dyn Running, container: &str, start: &Start) -> Result<Server> {
    self::start(running, container, start)?;
    ready(running, container)
}

/// Has receive calls made without a server.
pub(super) fn tight_loop(running: &dyn Running, container: &str, asked: &TightLoop) -> Result<Vec<Block>> {
    let heard = command(running, container, &["tight-loop"], &line(asked)?)?;
    serde_json::from_slice(&heard).context("the tight loop gave no answer")
}

/// Waits until the server listens.
fn ready(running: &dyn Running, container: &str) -> Result<Server> {
    let asked = ask(running, container, &["ready", "--timeout-s", START_S]);
    let server: Server = match (asked, running.state(container)?) {
        (Ok(server), _) => server,
        (Err(error), State::Running) => return Err(error),
        (Err(_), state) => bail!("its container {}: {}", ended(&state), running.log(container)?.trim()),
    };
    let Some(ended) = end(&server.status) else {
        return Ok(server);
    };
    let hit: String = limits(running, container)?
        .hit()
        .iter()
        .map(|hit| format!(", {hit}"))
        .collect();
    bail!(
        "the server {ended} before it listened{hit}; it said: {}",
        running.log(container)?.trim()
    )
}

/// Whether a library is in the server.
pub(super) fn has_mapped(running: &dyn Running, container: &str, library: &str) -> Result<bool> {
    let evidence: Evidence = ask(running, container, &["evidence", "--library", library])?;
    Ok(evidence.mapped)
}

/// Where a process on the container's last processor runs.
pub(super) fn place(running: &dyn Running, container: &str) -> Result<Place> {
    ask(running, container, &["place", "--processor", "last"])
}

/// What a container may use and has used.
pub(super) fn limits(running: &dyn Running, container: &str) -> Result<Use> {
    ask(running, container, &["limits"])
}

/// Begins to sample what a container's program uses.
pub(super) fn watch(running: &dyn Running, container: &str, whom: &[String]) -> Result<()> {
    let words: Vec<&str> = ["watch"].into_iter().chain(whom.iter().map(String::as_str)).collect();
    command(running, container, &words, b"").map(drop)
}

/// Ends that, and tells what was sampled.
pub(super) fn watched(running: &dyn Running, container: &str) -> Result<Sampled> {
    ask(running, container, &["watched"])
}

/// Stops the server; how it had ended before, if it had.
pub(super) fn stop(running: &dyn Running, container: &str) -> Result<Option<String>> {
    let server: Server = ask(running, container, &["stop"])?;
    Ok(end(&server.status))
}

fn end(status: &Status) -> Option<String> {
    match status {
        Status::Starting | Status::Listening => None,
        Status::Exited(code) => Some(format!("ended with exit status {code}")),
        Status::Killed(signal) => Some(format!("was ended by signal {signal}")),
    }
}

fn ended(state: &State) -> String {
    match state {
        State::Running => "runs".to_owned(),
        State::Ended { code, out_of_memory } => {
            let why = if *out_of_memory {
                ", killed for want of memory"
            } else {
                ""
            };
            format!("ended with exit status {code}{why}")
        }
        State::Gone => "has gone".to_owned(),
    }
}
