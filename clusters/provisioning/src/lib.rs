//! Clusters and workloads: kind and EKS clusters brought up and taken down, applications of other people deployed, the hook
//! put into workloads and taken out again.
#![forbid(unsafe_code)]

pub mod application;
mod conditions;
pub mod config;
mod error;
pub mod injection;
pub mod providers;

pub use conditions::{ClusterSelection, KUBECONFIGS, project};
pub use error::ProvisioningError;
