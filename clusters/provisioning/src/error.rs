//! Errors of provisioning.

use std::io;
use std::path::PathBuf;

use engines::EngineError;

/// An error of provisioning. Each message names the action that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisioningError {
    /// A cluster or an external program refused or did not answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file could not be read or written.
    #[error("cannot access {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A configuration, definition or manifest is not valid.
    #[error("{}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The key, its value and the expected value.
        reason: String,
    },
    /// The cluster to be created exists.
    #[error("{kind} {name} exists: `cargo xtask cluster status` shows it, `cargo xtask cluster down` deletes it")]
    Exists {
        /// The kind of resource.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Some resources could not be deleted.
    #[error("not deleted: {resources}; try `cargo xtask cluster down` again")]
    NotDeleted {
        /// The resources, and the reasons.
        resources: String,
    },
    /// A cluster could not be created, and then some of its resources could not be deleted.
    #[error("{creation}; and {deletion}")]
    LeftBehind {
        /// The error of the creation.
        creation: Box<ProvisioningError>,
        /// The error of the deletion.
        deletion: Box<ProvisioningError>,
    },
}

impl ProvisioningError {
    /// Completes a reason with the file's path.
    pub(crate) fn invalid(path: impl Into<PathBuf>) -> impl FnOnce(String) -> Self {
        let path = path.into();
        move |reason| Self::Invalid { path, reason }
    }

    /// Completes an I/O error with the file's path.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
