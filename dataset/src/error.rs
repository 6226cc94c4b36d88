//! Errors of reading and writing stored data.

use std::io;
use std::path::{Path, PathBuf};

/// An error of reading or writing stored data. Each message names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action that failed, as it completes "cannot …".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Parquet could not be read or written.
    #[error("{}: {source}; {advice}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The error of the Parquet library.
        source: parquet::errors::ParquetError,
        /// The remedy.
        advice: &'static str,
    },
    /// A file of another kind, version or content than expected.
    #[error("{}: {what}; expected {expected}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The kind, version or content that was found.
        what: String,
        /// The expected kind, version or content.
        expected: String,
    },
    /// A manifest that cannot be parsed.
    #[error("{}: {source}; the manifest is described by dataset/manifest.schema.json", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The error of the JSON parser, with line, column and key.
        source: serde_json::Error,
    },
    /// A launch record that cannot be parsed.
    #[error("{}: {source}; remove the launch's folder, and the launch is measured again", path.display())]
    LaunchRecord {
        /// The file.
        path: PathBuf,
        /// The error of the JSON parser, with line, column and key.
        source: serde_json::Error,
    },
    /// A file whose checksum differs from the checksum in the manifest.
    #[error("{}: SHA-256 is {found}, the manifest says {expected}; the file was changed or damaged after recording, restore it or measure again", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The checksum in the manifest.
        expected: String,
        /// The checksum of the file.
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
