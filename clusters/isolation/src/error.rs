//! Errors of isolation.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

/// An error of isolation. Each message names the action that failed or the missing part.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IsolationError {
    /// The kernel does not let this process make namespaces.
    #[error("cannot make namespaces at level `{level}`: {source}; {fix}")]
    Namespaces {
        /// Isolation level that was tried.
        level: &'static str,
        /// The kernel's error.
        source: Errno,
        /// The remedy.
        fix: &'static str,
    },
    /// A system call failed for a reason that has no variant of its own.
    #[error("cannot {action}: {source}")]
    System {
        /// The action that failed, as it completes "cannot …".
        action: &'static str,
        /// The kernel's error.
        source: Errno,
    },
    /// A file of the kernel could not be read or written.
    #[error("cannot access {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The netlink socket could not be used.
    #[error("cannot talk to the kernel's network configuration: {0}")]
    Socket(#[from] io::Error),
    /// The kernel refused a change to the network.
    #[error("cannot {action}: {source}; the kernel needs the modules `veth`, `bridge` and, for nodes, `vxlan`")]
    Netlink {
        /// The action that failed, as it completes "cannot …".
        action: String,
        /// The kernel's error.
        source: Box<rtnetlink::Error>,
    },
    /// The program of the packet filter failed.
    #[error("`{program}`: {reason}")]
    PacketFilter {
        /// The program.
        program: &'static str,
        /// The reason.
        reason: String,
    },
    /// The topology needs namespaces, and the isolation level has none.
    #[error(
        "`{topology}` needs network namespaces, and the level `{level}` has none; run as root, or allow unprivileged user namespaces"
    )]
    Unavailable {
        /// The topology.
        topology: &'static str,
        /// The isolation level.
        level: &'static str,
    },
    /// The process that started this one has ended.
    #[error("the process {0} that started this one has ended; it was probably stopped")]
    Orphaned(u32),
    /// No control groups for processor time and memory.
    #[error(transparent)]
    NoControlGroups(#[from] monitor::ControlGroupError),
    /// A control group could not be made or set.
    #[error(
        "cannot set limits by {}: {source}; run as root or, with control groups of version 2, under `systemd-run --user --scope`", path.display()
    )]
    ControlGroup {
        /// The file or folder.
        path: PathBuf,
        /// The kernel's error.
        source: io::Error,
    },
    /// /proc does not list a process.
    #[error("process {0} is not in /proc; mount /proc, without hidepid")]
    Unseen(u32),
}

impl IsolationError {
    pub(crate) fn system(action: &'static str) -> impl FnOnce(Errno) -> Self {
        move |source| Self::System { action, source }
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
