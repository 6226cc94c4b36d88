//! What servers, prober and node use and are denied while a launch lasts, and whether a limit was hit.
//!
//! A [`Source`] reads what it can of one subject; a [`Monitor`] asks all sources ten times a second; [`limit_hits`] says
//! what the samples show. The same rows come from this machine's /proc and control groups and, for Kubernetes, from
//! cAdvisor's metrics ([`cadvisor`]).
#![forbid(unsafe_code)]

pub mod cadvisor;
mod cgroup;
mod gate;
mod node;
mod process;
mod sampler;
mod source;

pub use cgroup::{Cgroup, CgroupSource, Unavailable};
pub use gate::limit_hits;
pub use node::NodeSource;
pub use process::ProcessSource;
pub use sampler::{INTERVAL, Monitor, Watched, Watching};
pub use source::{Reading, Source};
