//! Isolation of a local launch: network and process namespaces, virtual links, control groups, processes that end with
//! their parent.
//!
//! A network belongs to a process and ends with it: whichever way a launch ends, the kernel removes its network and,
//! where a process namespace is available, every process in it. No other cleanup is necessary.
//!
//! Entering takes two steps, because a process namespace holds only the *children* of the process that made it:
//! [`enter`] in one process, then [`Network::build`] in its child.
//!
//! Control groups limit processor time and memory. The runner makes and removes them ([`LaunchGroups`]).

mod error;
mod limits;
mod namespaces;
mod network;
mod pod;
mod processes;
mod service;
mod sys;

pub use error::IsolationError;
pub use limits::{LaunchGroups, join, sweep};
pub use namespaces::enter;
pub use network::Network;
pub use pod::Pod;
pub use processes::{adopt_orphans, allowed_cpus, die_with_parent, outer_pid, outer_pid_of_child, pin};
pub use sys::give_way;
