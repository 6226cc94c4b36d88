//! The version of a JSON file.

use serde::Deserialize;

/// The version of a JSON file. It is read before the file's other fields, which depend on it.
#[derive(Deserialize)]
pub(crate) struct FileVersion {
    pub(crate) schema_version: u32,
}
