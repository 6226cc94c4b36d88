//! Records of the trials before a measurement, and the faults that they find.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::start_costs::StartCosts;

/// File of the [`PreflightRecord`] in a run's folder.
pub const PREFLIGHT_FILE: &str = "preflight.json";

/// The trials before a measurement, in `preflight.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreflightRecord {
    /// Name of the server for people.
    pub server: String,
    /// The hooks, in the order in which they were given.
    pub hooks: Vec<PreflightHook>,
    /// Reason for which there is no calibration; none where there is one.
    pub no_calibration: Option<String>,
    /// Notes for readers.
    pub warnings: Vec<String>,
}

/// One hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreflightHook {
    /// Name of the hook and of its arm.
    pub name: String,
    /// The shared object.
    pub path: PathBuf,
    /// Reason for which the hook was not measured; none if it was.
    pub fault: Option<ServerFault>,
    /// The costs of loading the hook; none for a hook that was not measured.
    #[serde(default)]
    pub start: Option<StartCosts>,
}

/// A fault of a server, or of a server with a hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerFault {
    /// Kind of the fault.
    pub kind: ServerFaultKind,
    /// Description of the fault.
    pub what: String,
    /// Last output of the server.
    pub output: String,
}

/// Kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerFaultKind {
    /// A signal ended the server.
    Crashed,
    /// The server exited.
    Ended,
    /// The server does not listen on its port.
    NotListening,
    /// The server accepts requests and does not respond.
    Hung,
    /// The server sends bytes that are no response to the request.
    WrongAnswer,
    /// The server's response differs from the response without the hook.
    DifferentAnswer,
    /// The process that serves has not loaded the hook.
    NotLoaded,
}

impl fmt::Display for ServerFaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Crashed => "crashes",
            Self::Ended => "ends",
            Self::NotListening => "does not listen",
            Self::Hung => "hangs",
            Self::WrongAnswer => "gives no answer to the request",
            Self::DifferentAnswer => "answers differently",
            Self::NotLoaded => "does not load the hook",
        })
    }
}

impl fmt::Display for ServerFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the server {}: {}; {}", self.kind, self.what, self.output)
    }
}

impl std::error::Error for ServerFault {}
