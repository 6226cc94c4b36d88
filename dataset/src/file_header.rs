//! The values that are the same for all rows of a file, kept in the file's metadata.

use serde::{Deserialize, Serialize};

/// Key of the table's name in a file's metadata.
pub(crate) const SCHEMA_KEY: &str = "schema";
/// Key of the table's version in a file's metadata.
pub(crate) const VERSION_KEY: &str = "schema_version";
/// Key of the [`FileHeader`], as JSON, in a file's metadata.
pub(crate) const HEADER_KEY: &str = "header";

/// The values that are the same for all rows of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileHeader {
    /// Name of the run.
    pub run: String,
    /// Name of the condition.
    pub condition: String,
    /// Number of the launch in its condition, from 0.
    pub launch: u32,
    /// Names of the arms. An observation's `arm` is an index into this list.
    pub arms: Vec<String>,
}
