//! Docker for a test, where it is to be had: each test takes the engine for itself, and leaves it as it was.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Desk;

static ENGINE: Mutex<()> = Mutex::new(());

/// What `docker` prints.
pub(crate) fn docker(words: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(words).output();
    let output = output.map_err(|error| format!("docker cannot be started: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// All containers, networks and images.
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

/// The engine, and what is in it; none where it is not to be had, which is said.
pub(crate) fn engine(test: &str) -> Option<(MutexGuard<'static, ()>, [String; 3])> {
    let guard = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(reason) = docker(&["info"]) {
        println!("SKIPPED: docker, {test}: {reason}");
        return None;
    }
    Some((guard, everything()))
}

/// `runner run` in containers.
pub(crate) fn run(desk: &Desk, text: &str) -> Command {
    let mut command = desk.run(text);
    command.args(["--conditions", "docker"]);
    command
}
