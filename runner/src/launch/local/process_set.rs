//! The processes of one server, however it forks, and their entries in /proc.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use model::ProcessResources;
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeValLike as _;
use nix::time::ClockId;
use nix::unistd::Pid;

/// The criterion by which the processes of a server are found.
#[derive(Clone, Debug)]
pub(crate) enum ProcessSet {
    /// Their network namespace, which they keep when they leave their parents. Only descendants of the sidecars, given by their
    /// numbers in /proc, are in it besides.
    Namespace { inode: u64, sidecars: Vec<u32> },
    /// Their descent from the process with this number in /proc.
    Descent(u32),
}

/// One process, by its folder in /proc.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) path: PathBuf,
}

impl ProcessSet {
    /// Returns the processes that run now.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let all = numbers();
        let parents: BTreeMap<u32, u32> = all.iter().filter_map(|&pid| Some((pid, parent(pid)?))).collect();
        let member = |pid: u32| match self {
            Self::Namespace { inode, sidecars } => {
                let namespace = fs::metadata(format!("/proc/{pid}/ns/net"));
                namespace.is_ok_and(|metadata| metadata.ino() == *inode)
                    && !sidecars.iter().any(|&sidecar| descends(&parents, pid, sidecar))
            }
            Self::Descent(root) => descends(&parents, pid, *root),
        };
        let members = all.into_iter().filter(|pid| member(*pid));
        let paths = members.map(|pid| PathBuf::from(format!("/proc/{pid}")));
        // A process that has ended and was not waited for has no program any more.
        let running = paths.filter(|path| fs::read_link(path.join("exe")).is_ok());
        running.map(|path| Process { path }).collect()
    }

    /// Kills all of them.
    pub(crate) fn kill(&self) {
        for process in self.processes() {
            process.kill();
        }
    }

    /// Returns their processor time until now and their memory.
    pub(crate) fn resources(&self) -> ProcessResources {
        let mut sum = ProcessResources::default();
        for process in self.processes() {
            sum.cpu_ns += process.cpu_ns();
            sum.rss_bytes += process.memory_bytes("Rss:");
            sum.pss_bytes += process.memory_bytes("Pss:");
        }
        sum
    }
}

fn numbers() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn parent(pid: u32) -> Option<u32> {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "PPid:")?
        .parse()
        .ok()
}

fn descends(parents: &BTreeMap<u32, u32>, pid: u32, root: u32) -> bool {
    let mut at = pid;
    // A number that is used again while /proc is read could make a circle.
    for _ in 0..parents.len() {
        if at == root {
            return true;
        }
        match parents.get(&at) {
            Some(&parent) => at = parent,
            None => return false,
        }
    }
    false
}

/// Processor time of the process with this number in this process's namespace, ns.
pub(crate) fn cpu_ns(pid: i32) -> Option<u64> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid)).ok()?;
    u64::try_from(clock.now().ok()?.num_nanoseconds()).ok()
}

/// The last word of the line that begins so.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(name))?
        .split_whitespace()
        .last()
}

impl Process {
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap_or_default()
    }

    /// Its number in the innermost process namespace, which is this process's.
    fn inner_pid(&self) -> Option<i32> {
        field(&self.text("status"), "NSpid:")?.parse().ok()
    }

    /// Ends it, unless it is this process itself.
    pub(crate) fn kill(&self) {
        let other = |pid: &i32| u32::try_from(*pid).is_ok_and(|pid| pid != std::process::id());
        if let Some(pid) = self.inner_pid().filter(other) {
            // One that has ended meanwhile needs no signal.
            _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    pub(crate) fn name(&self) -> String {
        self.text("comm").trim().to_owned()
    }

    /// Whether a file is mapped into it.
    pub(crate) fn has_mapped(&self, file: &Path) -> bool {
        let name = file.to_string_lossy();
        self.text("maps").lines().any(|line| line.ends_with(name.as_ref()))
    }

    /// The file of its program.
    pub(crate) fn program(&self) -> Option<PathBuf> {
        fs::read_link(self.path.join("exe")).ok()
    }

    /// Processor time of its threads, also of those that have ended, ns.
    fn cpu_ns(&self) -> u64 {
        self.inner_pid().and_then(cpu_ns).unwrap_or(0)
    }

    fn memory_bytes(&self, name: &str) -> u64 {
        let text = self.text("smaps_rollup");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    }

    /// Numbers of its sockets.
    fn sockets(&self) -> Vec<u64> {
        let descriptors = fs::read_dir(self.path.join("fd")).into_iter().flatten().flatten();
        let targets = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
        targets
            .filter_map(|target| {
                target
                    .to_str()?
                    .strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .parse()
                    .ok()
            })
            .collect()
    }

    /// What it listens on: TCP ports with their addresses as the kernel writes them, and names of Unix sockets.
    pub(crate) fn listens(&self) -> Vec<Listening> {
        let sockets = self.sockets();
        let mut found = Vec::new();
        for table in ["net/tcp", "net/tcp6"] {
            let text = self.text(table);
            for line in text.lines().skip(1) {
                let words: Vec<&str> = line.split_whitespace().collect();
                let [_, local, _, "0A", ..] = words[..] else { continue };
                let inode = words.get(9).and_then(|word| word.parse().ok());
                if let Some(port) = local
                    .rsplit(':')
                    .next()
                    .and_then(|port| u16::from_str_radix(port, 16).ok())
                    && inode.is_some_and(|inode| sockets.contains(&inode))
                {
                    found.push(Listening::Tcp(port));
                }
            }
        }
        for line in self.text("net/unix").lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            // The flag that says that it accepts connections.
            let [_, _, _, "00010000", _, _, inode, ref path @ ..] = words[..] else {
                continue;
            };
            if inode.parse().is_ok_and(|inode| sockets.contains(&inode)) {
                found.push(Listening::Unix(path.join(" ")));
            }
        }
        found
    }
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
