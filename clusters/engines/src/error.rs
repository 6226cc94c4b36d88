//! Why a place cannot be had.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

/// Each message says what was tried and what would help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel does not let this process make namespaces.
    #[error("cannot make namespaces at level `{level}`: {source}; {fix}")]
    Namespaces {
        /// Level that was tried.
        level: &'static str,
        /// What the kernel said.
        source: Errno,
        /// What would help.
        fix: &'static str,
    },
    /// A system call failed that usually does not.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the kernel said.
        source: Errno,
    },
    /// A file of the kernel's could not be read or written.
    #[error("cannot access {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The netlink socket could not be used.
    #[error("cannot talk to the kernel's network configuration: {0}")]
    Socket(#[from] io::Error),
    /// The kernel refused a change to the network.
    #[error("cannot {action}: {source}; the kernel needs the modules `veth`, `bridge` and, for nodes, `vxlan`")]
    Netlink {
        /// What was tried.
        action: String,
        /// What the kernel said.
        source: Box<rtnetlink::Error>,
    },
    /// A place whose topology cannot be had without namespaces.
    #[error(
        "`{place}` needs network namespaces, and the level `{level}` has none; run as root, or allow unprivileged user namespaces"
    )]
    Unavailable {
        /// The place.
        place: &'static str,
        /// The level asked for.
        level: &'static str,
    },
    /// A container engine does not answer, or refuses.
    #[error("{engine}: cannot {action}: {reason}")]
    Engine {
        /// Which, such as `docker`.
        engine: &'static str,
        /// What was tried.
        action: String,
        /// Why not, and where it is known what would help.
        reason: String,
    },
    /// An external program failed.
    #[error("`{command}`: {reason}")]
    Command {
        /// Its command line.
        command: String,
        /// How it ended.
        reason: String,
    },
    /// A file of ours or of the user does not say what it should.
    #[error("{}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where in it, what was expected.
        reason: String,
    },
    /// A cluster that is to be created is there.
    #[error(
        "{kind} {name} is there already: `cargo xtask cluster status` shows it, `cargo xtask cluster down` deletes it"
    )]
    AlreadyThere {
        /// What.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Something could not be deleted.
    #[error("not deleted: {left}; try `cargo xtask cluster down` again")]
    Left {
        /// What, and why.
        left: String,
    },
    /// A cluster could not be created, and then something could not be deleted.
    #[error("{first}; and {left}")]
    LeftBehind {
        /// Why it could not be created.
        first: Box<Error>,
        /// What is left.
        left: Box<Error>,
    },
    /// A program that cannot be part of an image.
    #[error("{} cannot be put into an image: {reason}", path.display())]
    Program {
        /// The program.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A signal came while an engine worked.
    #[error("stopped by a signal")]
    Stopped,
    /// The process that started this one has gone.
    #[error("the process {0} that started this one has gone; it was probably stopped")]
    Orphaned(u32),
    /// No control groups for CPU and memory.
    #[error(transparent)]
    NoCgroups(#[from] monitor::Unavailable),
    /// A control group could not be made or set.
    #[error(
        "cannot set limits by {}: {source}; run as root or, with control groups of version 2, under `systemd-run --user --scope`", path.display()
    )]
    Cgroup {
        /// The file or folder.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A child is not to be seen in /proc.
    #[error("process {0} is not to be found in /proc; mount /proc, and without hidepid")]
    Unseen(u32),
}

impl Error {
    pub(crate) fn system(action: &'static str) -> impl FnOnce(Errno) -> Self {
        move |source| Self::System { action, source }
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
