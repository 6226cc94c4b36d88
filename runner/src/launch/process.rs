//! The processes of a launch: their names, and the command, environment and files with which each starts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use model::ProgramInstance;

/// Longest time in which a process becomes ready, if its definition names none. A Java application compiles itself first,
/// on one processor.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The name of the load generator in containers, samples and limits.
pub(crate) const LOAD_GENERATOR: &str = "loadgen";

/// A process of a launch. The load generator is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LaunchProcess {
    /// The server of the arm with this index.
    Server(usize),
    /// A proxy before the server of an arm. Proxy 0 is the one that the load generator connects to.
    Proxy { arm: usize, number: usize },
    /// The program that works beside the servers.
    Neighbour,
}

/// The name of the process, its folder and its container. It contains the number of the arm instead of the arm's name,
/// because an engine can refuse that name.
impl fmt::Display for LaunchProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(arm) => write!(formatter, "arm-{arm}"),
            Self::Proxy { arm, number } => write!(formatter, "arm-{arm}-proxy-{number}"),
            Self::Neighbour => write!(formatter, "neighbour"),
        }
    }
}

/// The state in which a process counts as ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It runs.
    Runs,
    /// It is to listen at this address, and has printed `listening ADDRESS`.
    Announces(SocketAddr),
    /// It listens at this address. The protocol that it speaks there can differ from that of the load generator.
    Listens(SocketAddr),
    /// It serves the experiment's request at this address.
    Serves(SocketAddr),
}

/// The command, environment and files with which a process starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessStart {
    pub(crate) command: Vec<OsString>,
    pub(crate) environment: Vec<(String, OsString)>,
    /// Content of the files in the process's own folder, by name.
    pub(crate) files: BTreeMap<String, String>,
    /// The working directory; without one, the process's own folder.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) readiness: Readiness,
    /// Longest time until it is ready.
    pub(crate) patience: Duration,
}

impl ProcessStart {
    pub(crate) fn new(command: Vec<OsString>, readiness: Readiness) -> Self {
        Self {
            command,
            environment: Vec::new(),
            files: BTreeMap::new(),
            directory: None,
            readiness,
            patience: PATIENCE,
        }
    }

    /// The start of a program.
    pub(crate) fn of_program(instance: ProgramInstance, readiness: Readiness) -> Self {
        let variables = instance.environment.into_iter();
        Self {
            environment: variables.map(|(name, value)| (name, value.into())).collect(),
            files: instance.files,
            ..Self::new(instance.command.into_iter().map(Into::into).collect(), readiness)
        }
    }
}
