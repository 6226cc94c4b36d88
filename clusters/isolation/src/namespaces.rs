//! Namespaces for this process and the children that it will have.

use std::fs;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};

use crate::error::IsolationError;
use model::IsolationLevel;

/// Gives this process a network namespace of its own, and its future children a process namespace: the first child is
/// that namespace's init, and when it ends the kernel kills all others.
///
/// # Errors
/// When the kernel does not allow it.
pub fn enter(level: IsolationLevel) -> Result<(), IsolationError> {
    let own = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWPID;
    match level {
        IsolationLevel::Loopback => Ok(()),
        IsolationLevel::Namespaces => unshare(own).map_err(|source| IsolationError::Namespaces {
            level: level.name(),
            source,
            fix: "run as root, or use the level user-namespaces",
        }),
        IsolationLevel::UserNamespaces => {
            // Asked before: inside, the numbers are unmapped until the maps are written.
            let (user, group) = (Uid::effective(), Gid::effective());
            unshare(own | CloneFlags::CLONE_NEWUSER).map_err(|source| IsolationError::Namespaces {
                level: level.name(),
                source,
                fix: "allow it by `sysctl kernel.unprivileged_userns_clone=1`, `sysctl user.max_user_namespaces=15000` \
                      and, on Ubuntu, `sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
            })?;
            // The user becomes 0 inside, or the rights in the new namespace would be lost at the next exec.
            write("/proc/self/setgroups", "deny")?;
            write("/proc/self/uid_map", &format!("0 {user} 1"))?;
            write("/proc/self/gid_map", &format!("0 {group} 1"))
        }
    }
}

fn write(path: &str, text: &str) -> Result<(), IsolationError> {
    fs::write(path, text).map_err(IsolationError::file(path))
}
