//! Requests about the server, answered from the file in which process 1 keeps the server's status.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use agent::{HookEvidence, ServerReport, ServerStatus};
use anyhow::{Context as _, Result, bail};
use monitor::ControlGroup;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::listeners;

/// Time after which a server that does not end is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// Time between two reads of a file that another process writes. Nothing is measured meanwhile.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(2);

fn report_path(work: &Path) -> PathBuf {
    work.join("server.json")
}

/// Writes the report on the server.
pub(crate) fn write_report(work: &Path, server: &ServerReport) -> Result<()> {
    replace(&report_path(work), server)
}

/// Replaces a file in one step, so that a reader never sees half of it.
pub(crate) fn replace(path: &Path, value: &impl Serialize) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, serde_json::to_vec(value)?)
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Reads the report on the server.
pub(crate) fn read_report(work: &Path) -> Result<ServerReport> {
    let path = report_path(work);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// Reads a request from standard input: one line of JSON. The function does not wait for the end of the input, which
/// may never come.
pub(crate) fn read_request<T: DeserializeOwned>() -> Result<T> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .context("cannot read standard input")?;
    serde_json::from_str(&line).context("standard input: expected a line of JSON")
}

/// Prints an answer as one line of JSON.
pub(crate) fn print(value: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}

/// Waits until the server is ready or has ended, and prints the report.
pub(crate) fn wait_until_ready(work: &Path, timeout_s: u64) -> Result<()> {
    let began = Instant::now();
    loop {
        // Process 1 may not have written the report yet.
        if let Some(server) = read_report(work)
            .ok()
            .filter(|server| server.status != ServerStatus::Starting)
        {
            return print(&server);
        }
        if began.elapsed() > Duration::from_secs(timeout_s) {
            bail!("the server does not listen after {timeout_s} s");
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Prints whether a library is in the memory maps of all processes that hold a socket listening on this port, because
/// clients connect to these processes. If no such process is known, it looks into the map of the server's first
/// process.
pub(crate) fn print_evidence(work: &Path, library: &Path, port: u16) -> Result<()> {
    let server = read_report(work)?;
    let mut serving = listeners::processes(port);
    if serving.is_empty() {
        serving.push(server.pid);
    }
    let name = library.to_string_lossy();
    let mapped = serving.iter().all(|pid| {
        // A process that has ended has no map.
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        maps.lines().any(|line| line.ends_with(name.as_ref()))
    });
    print(&HookEvidence { server, mapped })
}

/// Stops the server with all its processes, and prints the report from before the stop.
pub(crate) fn stop_server(work: &Path) -> Result<()> {
    let before = read_report(work)?;
    let pid = Pid::from_raw(before.pid);
    let has_ended = |server: &ServerReport| matches!(server.status, ServerStatus::Exited(_) | ServerStatus::Killed(_));
    if !has_ended(&before) {
        kill(pid, Signal::SIGTERM).context("cannot stop the server")?;
        let began = Instant::now();
        while !has_ended(&read_report(work)?) {
            if began.elapsed() > STOP_TIMEOUT {
                _ = kill(pid, Signal::SIGKILL);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }
    kill_remaining();
    print(&before)
}

/// Kills the processes that the server has left in a container. All processes but process 1 and this one belong to the
/// server at that time.
fn kill_remaining() {
    let own = std::env::current_exe().ok();
    if own.is_none() || fs::read_link("/proc/1/exe").ok() != own {
        // Not in a container of this project, such as in a test.
        return;
    }
    for process in procfs::process::all_processes().into_iter().flatten().flatten() {
        if process.pid != 1 && process.pid != std::process::id().cast_signed() {
            _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
    }
}

/// Prints the counts and limits of the container's control group; without a control group, no counts.
pub(crate) fn print_usage() -> Result<()> {
    let group = ControlGroup::of_process(std::process::id());
    print(&group.map(|group| group.usage()).unwrap_or_default())
}
