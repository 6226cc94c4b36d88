//! Any Kubernetes as an engine: kind, EKS, or whatever a context points to.
//!
//! A launch is fresh pods. They are reached by their own addresses, so that neither Services nor DNS are needed, and hold
//! no credentials of the cluster.

mod client;
mod conditions;
mod engine;
mod exec;
mod manifest;
mod running;
mod share;
mod starting;

pub(crate) use client::{Connection, answer, failed};
pub use conditions::{Choice, KUBECONFIGS, project};
pub use engine::{Delivery, Kubernetes, Settings};
pub(crate) use exec::run_command;
pub use manifest::{Pull, Recipe, Topology, pods};
pub(crate) use running::remove_namespace;
pub use share::Share;

/// Name in errors.
const ENGINE: &str = "kubernetes";
