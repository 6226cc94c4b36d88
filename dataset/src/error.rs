//! What can be wrong with stored data.

use std::io;
use std::path::{Path, PathBuf};

/// Each message says where, what was expected, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Parquet could not be read or written.
    #[error("{}: {source}; {advice}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the Parquet library says.
        source: parquet::errors::ParquetError,
        /// What to do.
        advice: &'static str,
    },
    /// Some other file, or one of another version.
    #[error("{}: {what}; expected {expected}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
        /// What should have been.
        expected: String,
    },
    /// A manifest that is no manifest.
    #[error("{}: {source}; the manifest is described by dataset/manifest.schema.json", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, column and key.
        source: serde_json::Error,
    },
    /// A launch record that cannot be read.
    #[error("{}: {source}; remove the launch's folder, and the launch is measured again", path.display())]
    LaunchRecord {
        /// The file.
        path: PathBuf,
        /// Line, column and key.
        source: serde_json::Error,
    },
    /// A file that is not the one which was recorded.
    #[error("{}: SHA-256 is {found}, the manifest says {expected}; the file was changed or damaged after recording, restore it or measure again", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// From the manifest.
        expected: String,
        /// From the bytes.
        found: String,
    },
}

impl Error {
    /// An error of Parquet while a file is read.
    pub(crate) fn damaged(path: &Path, source: parquet::errors::ParquetError) -> Self {
        Self::Parquet {
            path: path.to_owned(),
            source,
            advice: "the file is cut short or damaged; restore it or measure again",
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn foreign(path: &Path, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Foreign {
            path: path.to_owned(),
            what: what.into(),
            expected: expected.into(),
        }
    }
}
