//! Reading and checking a configuration.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::ProvisioningError;

/// A configuration whose values have requirements beyond their types.
pub trait ConfigFile: DeserializeOwned {
    /// Checks the values.
    ///
    /// # Errors
    /// When a value is not valid; the error names the first such key, its value and the expected value.
    fn check(&self) -> Result<(), String>;

    /// Reads a configuration and checks it.
    ///
    /// # Errors
    /// When the file cannot be read, or a value is not valid.
    fn read(path: &Path) -> Result<Self, ProvisioningError> {
        let text = fs::read_to_string(path).map_err(ProvisioningError::file(path))?;
        Self::parse(&text).map_err(ProvisioningError::invalid(path))
    }

    /// Parses the text of a configuration and checks it.
    ///
    /// # Errors
    /// When a value is not valid.
    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = yaml(text)?;
        config.check()?;
        Ok(config)
    }
}

/// Parses YAML. An error names line and key.
pub(super) fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

/// Returns an error with key, value and expected value if `holds` is false.
pub(super) fn expect(key: &str, is: impl std::fmt::Debug, holds: bool, expected: &str) -> Result<(), String> {
    if holds {
        return Ok(());
    }
    Err(format!("{key} is {is:?}, expected {expected}"))
}
