//! Isolation of a local launch: network and process namespaces, virtual links, control groups, processes that end with
//! their parent.
//!
//! A network belongs to a process and ends with it: whichever way a launch ends, the kernel removes its network and,
//! where a process namespace is available, every process in it. No other cleanup is necessary.
//!
//! Entering takes two steps, because a process namespace holds only the *children* of the process that made it:
//! [`enter_namespaces`] in one process, then [`LaunchNetwork::build`] in its child.
//!
//! Control groups limit processor time and memory. The runner makes and removes them ([`LaunchControlGroups`]).

mod control_groups;
mod error;
mod links;
mod namespaces;
mod network;
mod processes;
mod server_namespace;
mod service_address;
mod sys;

pub use control_groups::{LaunchControlGroups, join_control_group, remove_abandoned_groups};
pub use error::IsolationError;
pub use namespaces::enter_namespaces;
pub use network::LaunchNetwork;
pub use processes::{adopt_orphans, allowed_cpus, die_with_parent, outer_pid, outer_pid_of_child, pin_to_cpu};
pub use server_namespace::ServerNamespace;
pub use sys::use_idle_scheduling;
