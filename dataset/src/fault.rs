//! What is wrong with a server or with what a hook makes of it, and the record of the trials before a measurement.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// In which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It was ended by a signal.
    Crashed,
    /// It ended by itself.
    Ended,
    /// It does not listen where it should.
    NotListening,
    /// It takes requests and does not answer.
    Hung,
    /// It answers something that is no answer to the request.
    WrongAnswer,
    /// It answers otherwise than without the hook.
    DifferentAnswer,
    /// The hook is not in the process that serves.
    NotLoaded,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// In which way.
    pub kind: FaultKind,
    /// In words.
    pub what: String,
    /// The server's last output.
    pub output: String,
}

impl fmt::Display for FaultKind {
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

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the server {}: {}; {}", self.kind, self.what, self.output)
    }
}

impl std::error::Error for Fault {}

/// What the trials before a measurement came to, in `tried.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// The server, as a person would name it.
    pub server: String,
    /// In the order in which they were given.
    pub hooks: Vec<TriedHook>,
    /// Why there is no calibration, where there is none.
    pub no_calibration: Option<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// One hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriedHook {
    /// Its name, which is that of its arm.
    pub name: String,
    /// The shared object.
    pub path: PathBuf,
    /// Why it was not measured, if it was not.
    pub fault: Option<Fault>,
}

/// Name of the file with a [`Tried`] in a run's folder.
pub const TRIED: &str = "tried.json";
