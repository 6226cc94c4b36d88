//! What keeps a run from starting or from being written.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use model::LaunchPlanError;

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
    /// The plan is not valid.
    #[error(transparent)]
    Plan(#[from] LaunchPlanError),
    /// The plan asks for more threads than this process may use CPUs.
    #[error(
        "the launch plan: `threads`: {threads} threads, but only {cpus} CPUs{from}; expected a CPU for each thread"
    )]
    Threads {
        /// Threads of the plan.
        threads: u16,
        /// CPUs that are available.
        cpus: usize,
        /// Text that names the first CPU, or nothing.
        from: String,
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
    #[error("the launch plan: `cpu`: cannot run on CPU {cpu}: {source}; choose one that `taskset -p $$` allows")]
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
