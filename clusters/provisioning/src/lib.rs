//! The places where an experiment runs, made of Linux namespaces.
//!
//! A place belongs to a process and dies with it: whichever way a launch ends, the kernel removes its network and, where
//! a process namespace could be had, every process in it. There is nothing to clean up.
//!
//! Entering goes in two steps, because a process namespace holds only the *children* of the process that made it:
//! [`enter`] in one process, then [`Network::build`] in its child.
//!
//! Limits of CPU and memory are set by control groups, which the runner makes and removes ([`LaunchGroups`]).

pub mod application;
mod cgroup;
mod commands;
mod condition;
pub mod config;
pub mod container;
mod error;
mod image;
pub mod inject;
mod isolation;
pub mod kubernetes;
mod network;
mod place;
mod pod;
mod process;
pub mod provision;
mod service;
mod sys;

pub use cgroup::{LaunchGroups, join, sweep};
pub use commands::{Commands, Line};
pub use condition::Condition;
pub use error::Error;
pub use image::{Contents, Image, Installed};
pub use isolation::enter;
pub use network::Network;
pub use place::{Level, Place};
pub use pod::Pod;
pub use process::{adopt_orphans, allowed_cpus, die_with_parent, outer_pid, outer_pid_of_child, pin};
pub use sys::give_way;
