//! Containers of a launch, whichever engine runs them.

use std::collections::BTreeMap;

/// The run and the launch to which a resource belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The run's id: lower-case letters, digits and hyphens, at most 40, so that it can be part of any engine's names.
    pub run: String,
    /// Number of the launch, from 0.
    pub launch: u32,
}

impl Owner {
    /// Key of the label that marks every resource of this project; its value is the run's id.
    pub const RUN: &str = "hook-latency.run";
    /// Key of the label with the launch's number.
    pub const LAUNCH: &str = "hook-latency.launch";

    /// The labels of every resource that is created for this launch.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (Self::RUN.to_owned(), self.run.clone()),
            (Self::LAUNCH.to_owned(), self.launch.to_string()),
        ])
    }

    /// Returns the name of the launch, which is unique among all runs, such as `hook-latency-1f3a-0007`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("hook-latency-{}-{:04}", self.run, self.launch)
    }
}

/// The role of a container in a launch, which decides its processors. All arms share the first processor that may be used;
/// the load generator has the last one. An engine confines containers so where it can (Docker's cpuset, exclusive
/// processors in Kubernetes); where it cannot, the agent pins itself to the first or last processor of its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerRole {
    /// A server, or a process that works beside the servers.
    Arm,
    /// The load generator, or a process that works beside it.
    LoadGenerator,
    /// A process that may run on any processor.
    Unconfined,
}

/// The largest amounts that a container may use. The same amounts are requested for it. `None` leaves an amount to the
/// engine: Docker sets no limit; in Kubernetes the limit is a share of a node, because quality of service Guaranteed
/// needs a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerLimits {
    /// Processor time, thousandths of a processor.
    pub millicores: Option<u32>,
    /// Memory, bytes.
    pub memory_bytes: Option<u64>,
}

/// A container to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerSpec {
    /// Its name within the launch, a DNS label.
    pub name: String,
    /// Its role.
    pub role: ContainerRole,
    /// Its process 1, found in the image: a program and its arguments.
    pub command: Vec<String>,
    /// Environment of process 1.
    pub environment: BTreeMap<String, String>,
    /// Its limits.
    pub limits: ContainerLimits,
}

/// The state of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Process 1 runs.
    Running,
    /// Process 1 has ended.
    Ended {
        /// Its exit status.
        code: i64,
        /// True when the kernel killed it because memory ran out.
        out_of_memory: bool,
    },
    /// The container no longer exists: it was removed, or its node was lost.
    Gone,
}

/// A resource that carries the labels of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// Kind of the resource: `container`, `network`, `image`, `pod` or `namespace`.
    pub kind: &'static str,
    /// The engine's identifier.
    pub id: String,
    /// The name that people read.
    pub name: String,
    /// The run's id; `None` for a resource that all runs share, such as the image.
    pub run: Option<String>,
}

/// The end of a command in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutcome {
    /// Its exit status.
    pub code: i64,
    /// The end of its standard error.
    pub stderr: String,
}
