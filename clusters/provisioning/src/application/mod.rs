//! Applications of several workloads that other people wrote, such as TeaStore: their definitions, manifests and copies.
//!
//! `clusters/macro/` holds a definition for each application. The manifests stay in the authors' repository: a definition
//! names repository and revision, and whoever measures has a checkout.

mod copies;
mod manifests;

use model::ApplicationDefinition;

pub use copies::{Copies, Deployed};
pub use manifests::objects;

use crate::config::Config;

impl Config for ApplicationDefinition {
    fn check(&self) -> Result<(), String> {
        self.validate().map_err(|error| error.to_string())
    }
}
