//! Applications of several workloads that other people wrote, such as TeaStore.
//!
//! A file of `clusters/macro/` defines each application. The manifests are not part of this project: a definition names a
//! repository and a revision, and the user makes a checkout.

mod copies;
mod definition;
mod manifests;

pub use copies::{ApplicationCopies, DeployedCopy};
pub use manifests::read_objects;
