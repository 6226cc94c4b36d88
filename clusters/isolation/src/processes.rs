//! Processes: how they end with their parents, the processors on which they may run, and their ids in /proc.

use std::fs;
use std::path::PathBuf;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::error::IsolationError;

/// Makes the kernel kill this process when its parent ends, even if the parent is killed. `parent` is the parent's
/// process id in /proc ([`outer_pid`]).
///
/// # Errors
/// When the parent has already ended.
pub fn die_with_parent(parent: u32) -> Result<(), IsolationError> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(IsolationError::system("tie this process to its parent"))?;
    // This reading after the call detects a parent that ended before the call. It uses /proc, because getppid returns
    // 0 for a parent outside of the process namespace.
    if status_field("self", "PPid:")?.first() == Some(&parent) {
        Ok(())
    } else {
        Err(IsolationError::Orphaned(parent))
    }
}

/// Makes this process the new parent of descendants whose parent ends. The init of a process namespace becomes their
/// parent in any case.
///
/// # Errors
/// When the kernel refuses.
pub fn adopt_orphans() -> Result<(), IsolationError> {
    prctl::set_child_subreaper(true).map_err(IsolationError::system("adopt orphaned processes"))
}

/// Returns the id of this process in /proc, which is its id in the process namespace in which /proc was mounted.
///
/// # Errors
/// When /proc cannot be read.
pub fn outer_pid() -> Result<u32, IsolationError> {
    let own = status_field("self", "Pid:")?;
    own.first().copied().ok_or(IsolationError::Unseen(std::process::id()))
}

/// Returns the id of a child in /proc. `pid` is its id in this process's namespace.
///
/// # Errors
/// When there is no such child, or /proc does not show it.
pub fn outer_pid_of_child(pid: u32) -> Result<u32, IsolationError> {
    let parent = outer_pid()?;
    let entries = fs::read_dir("/proc").map_err(IsolationError::file("/proc"))?;
    for entry in entries.flatten() {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        let Ok(outer) = name.parse::<u32>() else { continue };
        // A process may end while its files are read.
        let is_child = status_field(&name, "PPid:").is_ok_and(|field| field.first() == Some(&parent));
        if is_child && status_field(&name, "NSpid:").is_ok_and(|field| field.last() == Some(&pid)) {
            return Ok(outer);
        }
    }
    Err(IsolationError::Unseen(pid))
}

/// Returns the numbers of a field in a process's status file.
fn status_field(process: &str, field: &str) -> Result<Vec<u32>, IsolationError> {
    let path: PathBuf = ["/proc", process, "status"].iter().collect();
    let text = fs::read_to_string(&path).map_err(IsolationError::file(path))?;
    let values = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("");
    Ok(values.split_whitespace().flat_map(str::parse).collect())
}

/// Returns the processors on which this process may run, in ascending order.
///
/// # Errors
/// When the kernel refuses.
pub fn allowed_cpus() -> Result<Vec<usize>, IsolationError> {
    let set = sched_getaffinity(Pid::from_raw(0)).map_err(IsolationError::system("read the allowed processors"))?;
    Ok((0..CpuSet::count())
        .filter(|cpu| set.is_set(*cpu).unwrap_or(false))
        .collect())
}

/// Confines this process, and all processes that it starts later, to one processor.
///
/// # Errors
/// When the processor does not exist or is not allowed.
pub fn pin_to_cpu(cpu: usize) -> Result<(), IsolationError> {
    let mut set = CpuSet::new();
    set.set(cpu).map_err(IsolationError::system("name a processor"))?;
    sched_setaffinity(Pid::from_raw(0), &set).map_err(IsolationError::system("move to a processor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_is_found_in_proc() {
        let mut child = Command::new("sleep").arg("10").spawn().expect("sleep starts");
        // The test runs where /proc is its own, so both numbers are the same.
        let found = outer_pid_of_child(child.id());
        child.kill().expect("kill");
        child.wait().expect("wait");
        assert_eq!(found.expect("found"), child.id());
        assert_eq!(outer_pid().expect("own"), std::process::id());
    }

    #[test]
    fn a_stranger_is_no_parent() {
        // On a thread of its own: the signal is per process but this parent, the test runner, outlives it.
        assert!(matches!(die_with_parent(0), Err(IsolationError::Orphaned(0))));
    }

    #[test]
    fn some_processor_is_allowed() {
        assert!(!allowed_cpus().expect("allowed").is_empty());
    }
}
