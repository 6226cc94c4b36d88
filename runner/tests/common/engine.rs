//! Docker for a test. Tests that use it run one after the other and remove everything that they make.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Desk;

static ENGINE: Mutex<()> = Mutex::new(());

/// Returns the standard output of `docker`, or its standard error if it fails.
pub(crate) fn docker(words: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(words).output();
    let output = output.map_err(|error| format!("docker cannot be started: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// Returns the identifiers of all containers, networks and images.
pub(crate) fn everything() -> [String; 3] {
    let sorted = |words: &[&str]| {
        let text = docker(words).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    [
        sorted(&["ps", "--all", "--quiet", "--no-trunc"]),
        sorted(&["network", "ls", "--quiet", "--no-trunc"]),
        sorted(&["images", "--all", "--quiet", "--no-trunc"]),
    ]
}

/// Locks the engine and returns its content. Prints that the test is skipped and returns none if Docker does not answer.
pub(crate) fn engine(test: &str) -> Option<(MutexGuard<'static, ()>, [String; 3])> {
    let guard = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(reason) = docker(&["info"]) {
        println!("SKIPPED: docker, {test}: {reason}");
        return None;
    }
    Some((guard, everything()))
}

/// Returns the command `runner run` in Docker.
pub(crate) fn run(desk: &Desk, text: &str) -> Command {
    let mut command = desk.run(text);
    command.args(["--conditions", "docker"]);
    command
}
