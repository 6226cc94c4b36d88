//! What keeps a run from starting or from being written.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A key of the plan that has a value which makes no sense.
pub(crate) fn wrong(key: &str, found: impl ToString, expected: &'static str) -> Error {
    Error::Value {
        key: key.to_owned(),
        found: found.to_string(),
        expected,
    }
}

/// Each message names the key or arm, what was expected, and what to do. What happens to a single request is no error
/// but a row with a status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The plan's file cannot be read.
    #[error("cannot read the plan {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The plan is no JSON, or a key is missing, unknown or of the wrong kind.
    #[error("the plan: {0}; see loadgen::Plan for the keys and what they mean")]
    Json(#[from] serde_json::Error),
    /// A key has a value that makes no sense.
    #[error("the plan's key `{key}`: {found}; expected {expected}")]
    Value {
        /// Which.
        key: String,
        /// What stands there.
        found: String,
        /// What could.
        expected: &'static str,
    },
    /// An arm does not answer before the first round.
    #[error("arm `{arm}`: cannot connect to {address}: {source}; start its server first and check the address")]
    Connect {
        /// Which.
        arm: String,
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The plan's CPU cannot be had.
    #[error("the plan's key `cpu`: cannot run on CPU {cpu}: {source}; choose one that `taskset -p $$` allows")]
    Cpu {
        /// Which.
        cpu: usize,
        /// Why not.
        source: io::Error,
    },
    /// A signal handler cannot be set.
    #[error("cannot catch signals: {0}")]
    Signals(io::Error),
    /// The observations cannot be written.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
}
