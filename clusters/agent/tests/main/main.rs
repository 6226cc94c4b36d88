//! The agent as a container runs it, except that it is not process 1.

mod sampling;
mod servers;

use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A command of the agent with this work folder and no input.
fn agent(work: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("agent"));
    command.arg("--work").arg(work).stdin(Stdio::null());
    command
}

/// Sends SIGTERM to a process.
fn terminate(process: &Child) {
    kill(Pid::from_raw(process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
}
