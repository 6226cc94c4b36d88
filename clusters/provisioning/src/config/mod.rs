//! The checked-in configs of clusters, read strictly: a field that their tool does not know, a wrong type or a missing
//! field is an error with file, line and key.
//!
//! The types hold the fields that we set, out of each tool's published schema; what the study needs of a cluster is
//! checked beside them, so that an edit cannot quietly turn it into another experiment.

mod eks;
mod kind;

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::ProvisioningError;

pub use eks::Eks;
pub(crate) use eks::TAG;
pub use kind::Kind;

/// A config and what it must be besides well-typed.
pub trait Config: DeserializeOwned {
    /// What is wrong with it: the key, what it is and what is expected.
    ///
    /// # Errors
    /// The first such thing.
    fn check(&self) -> Result<(), String>;

    /// Reads a config.
    ///
    /// # Errors
    /// When it cannot be read, or is not what it should be.
    fn read(path: &Path) -> Result<Self, ProvisioningError> {
        let text = fs::read_to_string(path).map_err(ProvisioningError::file(path))?;
        Self::parse(&text).map_err(|reason| ProvisioningError::Invalid {
            path: path.to_owned(),
            reason,
        })
    }

    /// The same from text.
    ///
    /// # Errors
    /// As [`Config::read`].
    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = yaml(text)?;
        config.check()?;
        Ok(config)
    }
}

fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

pub(crate) fn expect(key: &str, is: impl std::fmt::Debug, holds: bool, expected: &str) -> Result<(), String> {
    if holds {
        return Ok(());
    }
    Err(format!("{key} is {is:?}, expected {expected}"))
}
