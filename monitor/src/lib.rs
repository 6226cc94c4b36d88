//! Resources that servers, load generator and machine use or are denied during a launch, and the limits that were hit.
//!
//! A [`UsageSource`] reads some measures of one subject. A [`Monitor`] reads all sources ten times a second. [`limit_hits`]
//! returns the limits that the samples show as hit. Sources on this machine are the files of /proc and of control groups;
//! for Kubernetes, [`cadvisor`] parses the metrics of the kubelet into the same rows.
#![forbid(unsafe_code)]

pub mod cadvisor;
mod control_group;
mod limit_hits;
mod node;
mod process;
mod recording;
mod sampler;
mod source;

pub use control_group::{ControlGroup, ControlGroupError};
pub use limit_hits::{limit_hits, limit_hits_between};
pub use node::NodeSource;
pub use process::ProcessSource;
pub use recording::ResourceRecording;
pub use sampler::{INTERVAL, Monitor, MonitoredSubject};
pub use source::{UsageReading, UsageSource};
