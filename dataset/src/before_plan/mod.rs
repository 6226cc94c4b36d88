//! Reads recordings that were made before a plan was registered: manifests of version 5 and observations of version 2. It turns
//! them into the types of today. No other module reads the older format.

mod experiment;
mod load_summary;
mod manifest;
mod observations;

pub(crate) use manifest::{MANIFEST_VERSION, parse_manifest};
pub(crate) use observations::OBSERVATION_LAYOUT;
