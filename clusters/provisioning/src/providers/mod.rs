//! Clusters brought up and taken down by their providers' own tools, as short sequences of command lines.
//!
//! No file records the resources that were created. They are found by name and tag, so that a later `down`, on any machine,
//! deletes the resources that a crash left.

mod ecr;
mod eks;
mod kind;
mod provider;

pub use eks::EksCluster;
pub use kind::KindCluster;
pub use provider::{CostAnnouncement, FoundResource, Provider, down, status, up};
