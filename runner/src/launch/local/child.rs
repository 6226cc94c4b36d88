//! Starts the process in which a local launch happens, and reads its result.
//!
//! `runner run` starts `runner launch`, which enters the isolation level and starts `runner inside`. That process is alone in its
//! process namespace with the processes that it starts. Each is tied to the one that started it: a kill of any of them ends
//! all below it.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use model::{IsolationLevel, Topology};
use serde::de::DeserializeOwned;

use super::spec::LaunchSpec;

/// Time between two checks of the child.
const LOOK: Duration = Duration::from_millis(50);

/// Runs a launch in a child process and returns the result that the child printed.
///
/// # Errors
/// If the child fails, or `stopped` is set meanwhile. Then the child is killed, and with it everything that it started.
pub(crate) fn run_in_child<T: DeserializeOwned>(spec: &LaunchSpec, stopped: &AtomicBool) -> Result<T> {
    let path = spec.folder.join("spec.json");
    dataset::write_json(&path, spec)?;
    let mut child = start(&path)?;
    let status = loop {
        if stopped.load(Ordering::Relaxed) {
            child.kill()?;
            child.wait()?;
            bail!("stopped by a signal");
        }
        match child.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(LOOK),
        }
    };
    if !status.success() {
        bail!("the launch failed; its message stands above");
    }
    let mut printed = String::new();
    let stdout = child.stdout.as_mut().context("the launch has no standard output")?;
    stdout.read_to_string(&mut printed)?;
    serde_json::from_str(&printed).context("the launch printed no record")
}

fn start(spec: &Path) -> Result<Child> {
    own("launch")?
        .arg(spec)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start a launch")
}

/// Checks in a process of its own that a topology can be set up at an isolation level.
///
/// # Errors
/// The reason why not.
pub(crate) fn try_place(place: Topology, level: IsolationLevel) -> Result<(), String> {
    let tried = own("try").and_then(|mut command| {
        Ok(command
            .arg(place.name())
            .arg(level.name())
            .stdin(Stdio::null())
            .output()?)
    });
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr)
            .trim()
            .trim_start_matches("Error: ")
            .to_owned()),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// Returns the command of a verb of this program that is tied to this process.
///
/// # Errors
/// If this program's file or number cannot be found.
pub(crate) fn own(verb: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program's own file")?);
    command
        .arg(verb)
        .arg("--parent")
        .arg(isolation::outer_pid()?.to_string());
    Ok(command)
}
