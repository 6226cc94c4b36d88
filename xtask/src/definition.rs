//! The conditions and the number of launches in the definition of an experiment; the runner reads and checks the rest.

use std::path::Path;

use anyhow::{Context, Result};

/// A part of the definition of an experiment.
#[derive(serde::Deserialize)]
pub(crate) struct Definition {
    pub(crate) conditions: Vec<String>,
    pub(crate) launches: u32,
}

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// When the file cannot be read, or lacks `conditions` or `launches`.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not the definition of an experiment", path.display()))
    }
}
