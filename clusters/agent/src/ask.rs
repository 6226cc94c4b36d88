//! What further processes ask of process 1, through the file in which it keeps its account.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use agent::{Evidence, Server, Status, Use};
use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sockets;

/// How long a server may take to end.
const STOP: Duration = Duration::from_secs(2);
/// Between two looks at a file of the other's; nothing is measured meanwhile.
pub(crate) const LOOK: Duration = Duration::from_millis(2);

fn account(work: &Path) -> PathBuf {
    work.join("server.json")
}

/// Tells how the server is.
pub(crate) fn write(work: &Path, server: &Server) -> Result<()> {
    replace(&account(work), server)
}

/// Replaces a file as a whole, so that a reader never sees half of it.
pub(crate) fn replace(path: &Path, value: &impl Serialize) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, serde_json::to_vec(value)?)
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// How the server is.
pub(crate) fn read(work: &Path) -> Result<Server> {
    let path = account(work);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// What is asked on standard input, in one line of JSON: its end may never come.
pub(crate) fn hear<T: DeserializeOwned>() -> Result<T> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .context("cannot read standard input")?;
    serde_json::from_str(&line).context("standard input: expected a line of JSON")
}

pub(crate) fn print(value: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}

pub(crate) fn ready(work: &Path, timeout_s: u64) -> Result<()> {
    let asked = Instant::now();
    loop {
        // Process 1 may not have come as far yet.
        if let Some(server) = read(work).ok().filter(|server| server.status != Status::Starting) {
            return print(&server);
        }
        if asked.elapsed() > Duration::from_secs(timeout_s) {
            bail!("the server does not listen after {timeout_s} s");
        }
        thread::sleep(LOOK);
    }
}

/// Looks into all processes that hold a listening socket of this port, to which clients therefore come; into the server's
/// first one where none is known to.
pub(crate) fn evidence(work: &Path, library: &Path, port: u16) -> Result<()> {
    let server = read(work)?;
    let mut serving = sockets::holders(port);
    if serving.is_empty() {
        serving.push(server.pid);
    }
    let name = library.to_string_lossy();
    let mapped = serving.iter().all(|pid| {
        // One that has ended has no map any more.
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        maps.lines().any(|line| line.ends_with(name.as_ref()))
    });
    print(&Evidence { server, mapped })
}

/// Ends the server with all its processes; tells how it was before it was asked to end.
pub(crate) fn stop(work: &Path) -> Result<()> {
    let before = read(work)?;
    let pid = Pid::from_raw(before.pid);
    if matches!(before.status, Status::Exited(_) | Status::Killed(_)) {
        end_others();
        return print(&before);
    }
    kill(pid, Signal::SIGTERM).context("cannot stop the server")?;
    let asked = Instant::now();
    loop {
        let now = read(work)?;
        if matches!(now.status, Status::Exited(_) | Status::Killed(_)) {
            // It ended because it was asked to.
            end_others();
            return print(&before);
        }
        if asked.elapsed() > STOP {
            _ = kill(pid, Signal::SIGKILL);
        }
        thread::sleep(LOOK);
    }
}

/// Ends what a server has left, in a container: there, all but process 1 and this process is the server's by then.
fn end_others() {
    let own = std::env::current_exe().ok();
    if own.is_none() || fs::read_link("/proc/1/exe").ok() != own {
        // No container of ours.
        return;
    }
    for process in procfs::process::all_processes().into_iter().flatten().flatten() {
        if process.pid != 1 && process.pid != std::process::id().cast_signed() {
            _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
    }
}

pub(crate) fn limits() -> Result<()> {
    print(&Use::read(Path::new("/sys/fs/cgroup")))
}
