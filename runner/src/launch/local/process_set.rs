//! Finds the processes of one server, in whatever way it forks.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use model::ProcessResources;
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeValLike as _;
use nix::time::ClockId;
use nix::unistd::Pid;
use procfs::net::{TcpState, UnixState};
use procfs::process::{FDTarget, MMapPath, Process, all_processes};

/// The criterion by which the processes of a server are found.
#[derive(Clone, Debug)]
pub(crate) enum ProcessSet {
    /// Their network namespace. A process stays in it when it leaves its parent. The namespace also contains the
    /// descendants of the sidecars; `sidecars` has their process ids.
    Namespace { inode: u64, sidecars: Vec<u32> },
    /// Their descent from the process with this id.
    Descent(u32),
}

impl ProcessSet {
    /// Returns the processes that run now.
    pub(crate) fn processes(&self) -> Vec<Process> {
        // A `Process` holds a descriptor. There may not be enough descriptors for all processes of the machine.
        let all = all_processes().into_iter().flatten().flatten();
        let parents = all.filter_map(|process| Some((process.pid, process.stat().ok()?.ppid)));
        let parents: BTreeMap<i32, i32> = parents.collect();
        let member = |pid: i32| match self {
            Self::Namespace { inode, sidecars } => {
                let namespace = fs::metadata(format!("/proc/{pid}/ns/net"));
                namespace.is_ok_and(|metadata| metadata.ino() == *inode)
                    && !sidecars.iter().any(|&sidecar| descends(&parents, pid, sidecar))
            }
            Self::Descent(root) => descends(&parents, pid, *root),
        };
        let members = parents.keys().filter(|&&pid| member(pid));
        let members = members.filter_map(|&pid| Process::new(pid).ok());
        // A process that has ended, and for which its parent has not waited, has no program any more.
        members.filter(|process| process.exe().is_ok()).collect()
    }

    /// Kills all processes of the set.
    pub(crate) fn kill(&self) {
        self.processes().iter().for_each(end);
    }

    /// Returns the processor time of the processes so far, and their memory.
    pub(crate) fn resources(&self) -> ProcessResources {
        let mut sum = ProcessResources::default();
        for process in self.processes() {
            sum.cpu_ns += inner_pid(&process).and_then(cpu_ns).unwrap_or(0);
            for part in process.smaps_rollup().iter().flat_map(|all| &all.memory_map_rollup) {
                let bytes = |name| part.extension.map.get(name).copied().unwrap_or(0);
                sum.rss_bytes += bytes("Rss");
                sum.pss_bytes += bytes("Pss");
            }
        }
        sum
    }
}

fn descends(parents: &BTreeMap<i32, i32>, pid: i32, root: u32) -> bool {
    let mut at = pid;
    // If an id is used again while /proc is read, the parents could form a circle.
    for _ in 0..parents.len() {
        if at.cast_unsigned() == root {
            return true;
        }
        match parents.get(&at) {
            Some(&parent) => at = parent,
            None => return false,
        }
    }
    false
}

/// Returns the processor time of the process with this id in the process namespace of this process, ns. It includes
/// the threads that have ended.
pub(crate) fn cpu_ns(pid: i32) -> Option<u64> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid)).ok()?;
    u64::try_from(clock.now().ok()?.num_nanoseconds()).ok()
}

/// Returns the id of a process in the innermost process namespace, which is the namespace of this process.
fn inner_pid(process: &Process) -> Option<i32> {
    process.status().ok()?.nspid?.last().copied()
}

/// Kills a process, unless it is this process itself.
fn end(process: &Process) {
    if let Some(pid) = inner_pid(process).filter(|pid| pid.cast_unsigned() != std::process::id()) {
        // A process that has ended meanwhile needs no signal.
        _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// Returns the name of a process; an empty one if the process has ended.
pub(crate) fn name(process: &Process) -> String {
    process.stat().map(|stat| stat.comm).unwrap_or_default()
}

/// Returns true if a file is mapped into a process.
pub(crate) fn has_mapped(process: &Process, file: &Path) -> bool {
    let maps = process.maps();
    let mut parts = maps.iter().flatten();
    parts.any(|part| matches!(&part.pathname, MMapPath::Path(path) if path == file))
}

/// Returns the sockets on which a process listens.
pub(crate) fn listens(process: &Process) -> Vec<Listening> {
    let descriptors = process.fd().into_iter().flatten().flatten();
    let sockets: Vec<u64> = descriptors
        .filter_map(|descriptor| match descriptor.target {
            FDTarget::Socket(inode) => Some(inode),
            _ => None,
        })
        .collect();
    let tcp = [process.tcp(), process.tcp6()].into_iter().flatten().flatten();
    let tcp = tcp.filter(|socket| socket.state == TcpState::Listen && sockets.contains(&socket.inode));
    let unix = process.unix().into_iter().flatten();
    // The kernel calls a socket that accepts connections unconnected.
    let unix = unix.filter(|socket| socket.state == UnixState::UNCONNECTED && sockets.contains(&socket.inode));
    tcp.map(|socket| Listening::Tcp(socket.local_address.port()))
        .chain(unix.filter_map(|socket| Some(Listening::Unix(socket.path?.display().to_string()))))
        .collect()
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listening {
    Tcp(u16),
    Unix(String),
}

impl std::fmt::Display for Listening {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(port) => write!(formatter, "TCP port {port}"),
            Self::Unix(path) => write!(formatter, "the Unix socket {path}"),
        }
    }
}
