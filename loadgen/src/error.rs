//! Errors that prevent a run or the writing of its observations.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use model::LaunchPlanError;

/// Error that prevents a run or the writing of its observations. A failed request is not an error; its row has the
/// outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadgenError {
    /// The file with the launch plan cannot be read.
    #[error("cannot read the launch plan {}: {source}", path.display())]
    Read {
        /// The file; `-` is standard input.
        path: PathBuf,
        /// Error of the file system.
        source: io::Error,
    },
    /// The launch plan is not valid.
    #[error(transparent)]
    Plan(#[from] LaunchPlanError),
    /// The launch plan has more threads than there are CPUs.
    #[error("the launch plan: `threads`: {threads}, but only {available} CPUs are available{}; expected a CPU for each thread",
            first_cpu.map_or(String::new(), |cpu| format!(" from CPU {cpu} on")))]
    Threads {
        /// Threads of the plan.
        threads: u16,
        /// Number of CPUs that are available.
        available: usize,
        /// First CPU of the plan.
        first_cpu: Option<usize>,
    },
    /// An arm's server does not accept a connection before the first round.
    #[error("arm `{arm}`: cannot connect to {address}: {source}; start its server first and check the address")]
    Connect {
        /// Name of the arm.
        arm: String,
        /// Address of the arm.
        address: SocketAddr,
        /// Error of the connection attempt.
        source: io::Error,
    },
    /// A thread cannot run on the CPU of the launch plan.
    #[error("the launch plan: `cpu`: cannot run on CPU {cpu}: {source}; choose one that `taskset -p $$` lists")]
    Cpu {
        /// Number of the CPU.
        cpu: usize,
        /// Error of the system call.
        source: io::Error,
    },
    /// A signal handler cannot be installed.
    #[error("cannot install a handler for SIGINT and SIGTERM: {0}")]
    Signals(io::Error),
    /// The observations cannot be written.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
}
