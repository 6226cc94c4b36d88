//! Provisioning of clusters and workloads: kind and EKS clusters brought up and taken down, applications deployed, the hook
//! put into workloads and taken out again.
#![forbid(unsafe_code)]

pub mod application;
pub mod config;
mod error;
pub mod injection;
pub mod providers;
mod selection;

pub use error::ProvisioningError;
pub use selection::{ClusterSelection, KUBECONFIGS, project_folder};
