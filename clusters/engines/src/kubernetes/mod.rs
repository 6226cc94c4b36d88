//! Any Kubernetes as an engine: kind, EKS, or the cluster of a context.
//!
//! A launch is fresh pods. They are reached by their own addresses, so that neither Services nor DNS are needed, and hold
//! no credentials of the cluster.

mod client;
mod engine;
mod exec;
mod manifest;
mod running;
mod share;
mod starting;

pub use client::{ClusterConnection, answer, failed};
pub use engine::{ClusterSettings, ImageDelivery, ImageLoader, Kubernetes};
pub use exec::run_command;
pub use manifest::{ImagePull, LaunchPods, PodPlacement, pods};
pub use running::remove_namespace;
pub use share::NodeShare;
