//! Namespaces of Linux: those of this process and its future children, and handles of network namespaces.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use model::IsolationLevel;
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{Gid, Uid};

use crate::error::IsolationError;

/// Gives this process a network namespace of its own, and its future children a process namespace. The first child is the
/// init of that namespace; when it ends, the kernel kills all other processes in it.
///
/// # Errors
/// When the kernel does not allow it.
pub fn enter_namespaces(level: IsolationLevel) -> Result<(), IsolationError> {
    let own = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWPID;
    match level {
        IsolationLevel::Loopback => Ok(()),
        IsolationLevel::Namespaces => unshare(own).map_err(|source| IsolationError::Namespaces {
            level: level.name(),
            source,
            fix: "run as root, or use the level user-namespaces",
        }),
        IsolationLevel::UserNamespaces => {
            // Read before the call: in the new namespace, both numbers are unmapped until the maps are written.
            let (user, group) = (Uid::effective(), Gid::effective());
            unshare(own | CloneFlags::CLONE_NEWUSER).map_err(|source| IsolationError::Namespaces {
                level: level.name(),
                source,
                fix: "allow it by `sysctl kernel.unprivileged_userns_clone=1`, `sysctl user.max_user_namespaces=15000` \
                      and, on Ubuntu, `sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
            })?;
            // The user becomes root in the namespace: an exec takes the capabilities there from any other user.
            write("/proc/self/setgroups", "deny")?;
            write("/proc/self/uid_map", &format!("0 {user} 1"))?;
            write("/proc/self/gid_map", &format!("0 {group} 1"))
        }
    }
}

fn write(path: &str, text: &str) -> Result<(), IsolationError> {
    fs::write(path, text).map_err(IsolationError::file(path))
}

/// A handle of a network namespace. The namespace exists as long as a handle of it, a process or a link in it.
#[derive(Debug)]
pub(crate) struct NetworkNamespace(File);

impl NetworkNamespace {
    /// Opens the namespace of this thread.
    pub(crate) fn current() -> Result<Self, IsolationError> {
        let path = "/proc/thread-self/ns/net";
        File::open(path).map(Self).map_err(IsolationError::file(path))
    }

    /// Makes a namespace and moves this thread into it.
    pub(crate) fn create() -> Result<Self, IsolationError> {
        unshare(CloneFlags::CLONE_NEWNET).map_err(IsolationError::system("make a network namespace"))?;
        Self::current()
    }

    /// Moves this thread into the namespace.
    pub(crate) fn enter(&self) -> Result<(), IsolationError> {
        setns(&self.0, CloneFlags::CLONE_NEWNET).map_err(IsolationError::system("enter a network namespace"))
    }

    /// Returns the namespace's inode, by which its processes are identified.
    pub(crate) fn inode(&self) -> Result<u64, IsolationError> {
        let metadata = self.0.metadata();
        Ok(metadata
            .map_err(IsolationError::file(Path::new("/proc/thread-self/ns/net")))?
            .ino())
    }
}

impl AsRawFd for NetworkNamespace {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
