//! Limits the processor time and memory of each arm by a control group of version 1 or 2, which exists until the
//! launch ends.
//!
//! All groups of a launch are children of one group. Its name contains the run and the runner's process id, and the
//! runner locks its folders. The end of the launch removes all these groups. [`remove_abandoned_groups`] finds the
//! groups of a killed runner by their names and by the missing lock.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use model::ResourceLimits;
use monitor::ControlGroup;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::IsolationError;
use crate::processes::outer_pid;

/// The beginning of the names of all groups of this project.
const PREFIX: &str = "hook-latency.";
/// The period of a processor quota, µs.
const PERIOD_US: u64 = 100_000;
/// Longest time for the processes of a group to end after they were killed.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);

/// The control groups of one launch. Dropping the value removes them and kills the processes in them.
#[derive(Debug)]
pub struct LaunchControlGroups {
    group: ControlGroup,
    /// A lock for each folder, held until the launch is over.
    locks: Vec<Flock<File>>,
}

impl LaunchControlGroups {
    /// Makes an empty group for a launch of this run.
    ///
    /// # Errors
    /// When no control groups for processor time and memory are mounted, or this user may not make any.
    pub fn create(run: &str) -> Result<Self, IsolationError> {
        let own = ControlGroup::of_process(outer_pid()?)?;
        let mut refused = None;
        for parent in possible_parents(own) {
            match Self::create_in(&parent, run) {
                Ok(groups) => return Ok(groups),
                // The error of the nearest parent is reported.
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or(IsolationError::Unseen(std::process::id())))
    }

    fn create_in(parent: &ControlGroup, run: &str) -> Result<Self, IsolationError> {
        let name: String = run
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
            .collect();
        let group = parent.child(&format!("{PREFIX}{name}.{}", std::process::id()));
        delegate_controllers(parent)?;
        let mut groups = Self {
            group: group.clone(),
            locks: Vec::new(),
        };
        for folder in group.folders() {
            groups.locks.push(make(folder)?);
        }
        delegate_controllers(&group)?;
        Ok(groups)
    }

    /// Adds a group with limits.
    ///
    /// # Errors
    /// When the kernel refuses a limit.
    pub fn add(&self, name: &str, limits: ResourceLimits) -> Result<ControlGroup, IsolationError> {
        let group = self.group.child(name);
        for folder in group.folders() {
            fs::create_dir(folder).map_err(refused(folder))?;
        }
        set_limits(&group, limits)?;
        Ok(group)
    }
}

impl Drop for LaunchControlGroups {
    fn drop(&mut self) {
        for folder in self.group.folders() {
            // A group that cannot be removed now is removed by the next call of `remove_abandoned_groups`.
            _ = remove(folder);
        }
    }
}

/// Moves this process into a group, in all of its folders.
///
/// # Errors
/// When the kernel refuses.
pub fn join_control_group(group: &ControlGroup) -> Result<(), IsolationError> {
    for folder in group.folders() {
        // 0 means the writing process, in any process namespace.
        write(&folder.join("cgroup.procs"), "0")?;
    }
    Ok(())
}

/// Removes the groups of killed runners, kills the processes in them, and returns their folders.
///
/// # Errors
/// When a group cannot be removed.
pub fn remove_abandoned_groups() -> Result<Vec<PathBuf>, IsolationError> {
    let mut found = Vec::new();
    for root in ControlGroup::mount_points() {
        find(&root, &mut found);
    }
    let mut removed = Vec::new();
    for folder in found {
        // A locked folder belongs to a launch that runs; a missing folder was removed meanwhile.
        let Ok(_lock) = lock(&folder) else { continue };
        remove(&folder)?;
        removed.push(folder);
    }
    Ok(removed)
}

/// Finds the groups of this project below a folder. Other groups may appear and disappear meanwhile.
fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            found.push(entry.path());
        } else {
            find(&entry.path(), found);
        }
    }
}

/// Returns the groups in which a launch's group may be made: the runner's own group and its ancestors. In version 2, a
/// group with processes cannot give controllers to its children, but an ancestor without processes can.
fn possible_parents(own: ControlGroup) -> Vec<ControlGroup> {
    match own {
        ControlGroup::V1 { .. } => vec![own],
        ControlGroup::V2(folder) => folder
            .ancestors()
            .take_while(|folder| folder.join("cgroup.subtree_control").exists())
            .map(|folder| ControlGroup::V2(folder.to_owned()))
            .collect(),
    }
}

/// In version 2, gives the controllers for processor time and memory to the children of a group.
fn delegate_controllers(group: &ControlGroup) -> Result<(), IsolationError> {
    let ControlGroup::V2(folder) = group else { return Ok(()) };
    let control = folder.join("cgroup.subtree_control");
    let offered = fs::read_to_string(&control).unwrap_or_default();
    let offers = |name| offered.split_whitespace().any(|known| known == name);
    if offers("cpu") && offers("memory") {
        return Ok(());
    }
    write(&control, "+cpu +memory")
}

fn set_limits(group: &ControlGroup, limits: ResourceLimits) -> Result<(), IsolationError> {
    // The kernel accepts no quota below 1 ms.
    let quota_us = limits.quota_cores.map(|cores| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "validated as a small number above zero"
        )]
        let quota_us = (cores * PERIOD_US as f64).round() as u64;
        quota_us.max(1_000)
    });
    match group {
        ControlGroup::V1 { cpu, memory } => {
            if let Some(quota_us) = quota_us {
                write(&cpu.join("cpu.cfs_period_us"), &PERIOD_US.to_string())?;
                write(&cpu.join("cpu.cfs_quota_us"), &quota_us.to_string())?;
            }
            if let Some(bytes) = limits.memory_bytes {
                write(&memory.join("memory.limit_in_bytes"), &bytes.to_string())?;
                // The limit with swap is the same, so that there is no swap. The file is missing if the kernel does not count swap.
                let with_swap = memory.join("memory.memsw.limit_in_bytes");
                if with_swap.exists() {
                    write(&with_swap, &bytes.to_string())?;
                }
            }
        }
        ControlGroup::V2(folder) => {
            if let Some(quota_us) = quota_us {
                write(&folder.join("cpu.max"), &format!("{quota_us} {PERIOD_US}"))?;
            }
            if let Some(bytes) = limits.memory_bytes {
                write(&folder.join("memory.max"), &bytes.to_string())?;
                let swap = folder.join("memory.swap.max");
                if swap.exists() {
                    write(&swap, "0")?;
                }
            }
        }
    }
    Ok(())
}

/// Removes a group and the groups in it, and kills the processes in them.
fn remove(folder: &Path) -> Result<(), IsolationError> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path())?;
        }
    }
    let began = Instant::now();
    loop {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && began.elapsed() < KILL_TIMEOUT => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused(folder)(error)),
            _ => return Ok(()),
        }
        let processes = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        for pid in processes.lines().flat_map(str::parse).filter(|pid: &i32| *pid > 0) {
            // The process may have ended meanwhile.
            _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Makes a folder and locks it. Between the two steps, another process may remove it as abandoned.
fn make(folder: &Path) -> Result<Flock<File>, IsolationError> {
    let began = Instant::now();
    loop {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(refused(folder)(error)),
            _ => {}
        }
        match lock(folder) {
            Ok(lock) if folder.exists() => return Ok(lock),
            Err(error) if began.elapsed() > KILL_TIMEOUT => return Err(error),
            _ => thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn lock(folder: &Path) -> Result<Flock<File>, IsolationError> {
    let file = File::open(folder).map_err(refused(folder))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| refused(folder)(errno.into()))
}

fn write(path: &Path, text: &str) -> Result<(), IsolationError> {
    fs::write(path, text).map_err(refused(path))
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> IsolationError {
    let path = path.to_owned();
    move |source| IsolationError::ControlGroup { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const SMALL: ResourceLimits = ResourceLimits {
        quota_cores: Some(0.25),
        memory_bytes: Some(64 << 20),
    };

    /// Makes groups; `None` where the kernel does not allow it.
    fn groups(run: &str) -> Option<LaunchControlGroups> {
        match LaunchControlGroups::create(run) {
            Ok(groups) => Some(groups),
            Err(error) => {
                println!("SKIPPED: cgroups: {error}");
                None
            }
        }
    }

    fn sleeper(group: &ControlGroup) -> Command {
        let enter = "for file in \"$@\"; do echo 0 > \"$file\" || exit 1; done; exec sleep 600";
        let mut command = Command::new("sh");
        command
            .args(["-c", enter, "sh"])
            .args(group.folders().iter().map(|folder| folder.join("cgroup.procs")));
        command
    }

    fn members(group: &ControlGroup) -> Vec<String> {
        let folders = group.folders();
        let procs = folders
            .iter()
            .map(|folder| fs::read_to_string(folder.join("cgroup.procs")));
        procs.map(|text| text.expect("a group's processes")).collect()
    }

    #[test]
    fn limits_are_set_and_groups_and_processes_end_with_the_launch() {
        let Some(groups) = groups("a run/of mine") else { return };
        let arm = groups.add("scan", SMALL).expect("limits");
        let mut child = sleeper(&arm).spawn().expect("sleep starts");
        let expected = format!("{}\n", child.id());
        while members(&arm).iter().any(|found| *found != expected) {
            assert!(child.try_wait().expect("waited").is_none(), "it could not enter");
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(arm.usage()[model::Measure::MemoryLimitBytes], Some(64 << 20));
        // A locked group is not abandoned.
        let removed = remove_abandoned_groups().expect("removed");
        assert!(
            !removed.iter().any(|folder| arm.folders()[0].starts_with(folder)),
            "{removed:?}"
        );
        let folders: Vec<PathBuf> = groups
            .group
            .folders()
            .iter()
            .map(|folder| folder.to_path_buf())
            .collect();
        drop(groups);
        assert!(!child.wait().expect("waited").success());
        for folder in folders {
            assert!(!folder.exists(), "{}", folder.display());
        }
    }

    #[test]
    fn groups_of_a_killed_runner_are_removed() {
        let Some(mut groups) = groups("killed") else { return };
        let arm = groups.add("scan", SMALL).expect("limits");
        let mut child = sleeper(&arm).spawn().expect("sleep starts");
        while members(&arm).iter().any(String::is_empty) {
            thread::sleep(Duration::from_millis(1));
        }
        // A kill takes the locks and runs no destructor.
        groups.locks.clear();
        let abandoned: Vec<PathBuf> = groups
            .group
            .folders()
            .iter()
            .map(|folder| folder.to_path_buf())
            .collect();
        std::mem::forget(groups);
        // Another test, or a run that starts now, may remove them first.
        remove_abandoned_groups().expect("removed");
        assert!(!child.wait().expect("waited").success());
        let began = Instant::now();
        while abandoned.iter().any(|folder| folder.exists()) {
            assert!(began.elapsed() < KILL_TIMEOUT, "{abandoned:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The kernel makes a group's files with its folder; this test uses plain files.
    #[test]
    fn limits_of_version_2_are_written_in_the_kernels_format() {
        let tree = tempfile::tempdir().expect("a folder");
        let root = ControlGroup::V2(tree.path().to_owned());
        fs::write(tree.path().join("cgroup.subtree_control"), "memory pids\n").expect("written");
        let groups = LaunchControlGroups::create_in(&root, "run").expect("a group");
        let arm = groups.add("log", SMALL).expect("limits");
        let text = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).expect(name);
        assert_eq!(text(tree.path(), "cgroup.subtree_control"), "+cpu +memory");
        let ControlGroup::V2(launch) = &groups.group else {
            panic!("{groups:?}")
        };
        assert_eq!(text(launch, "cgroup.subtree_control"), "+cpu +memory");
        let ControlGroup::V2(folder) = &arm else {
            panic!("{arm:?}")
        };
        assert_eq!(text(folder, "cpu.max"), "25000 100000");
        assert_eq!(text(folder, "memory.max"), (64 << 20).to_string());
        let free = groups.add("free", ResourceLimits::default()).expect("no limits");
        assert!(!free.folders()[0].join("cpu.max").exists());
    }

    #[test]
    fn version_2_groups_are_made_below_an_ancestor_that_gives_controllers() {
        let tree = tempfile::tempdir().expect("a folder");
        let own = tree.path().join("a.slice/b.scope");
        fs::create_dir_all(&own).expect("folders");
        for folder in [&own, &tree.path().join("a.slice")] {
            fs::write(folder.join("cgroup.subtree_control"), "").expect("written");
        }
        let found = possible_parents(ControlGroup::V2(own.clone()));
        assert_eq!(
            found,
            [
                ControlGroup::V2(own.clone()),
                ControlGroup::V2(tree.path().join("a.slice"))
            ]
        );
    }
}
