//! Launches in Linux namespaces on this machine.

pub(crate) mod backend;
pub(crate) mod child;
pub(crate) mod control_groups;
pub(crate) mod lone_arm;
pub(crate) mod memory_file;
mod output;
pub(crate) mod process_set;
pub(crate) mod server;
pub(crate) mod spec;
mod watch;
