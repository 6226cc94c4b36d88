//! Errors of container engines and of external programs.

use std::io;
use std::path::PathBuf;

/// An error of an engine, an image or an external program. Each message names the action that failed and, if known, a
/// remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A file could not be read or written.
    #[error("cannot access {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The asynchronous runtime could not be started.
    #[error("cannot start the asynchronous runtime: {0}")]
    Runtime(io::Error),
    /// A container engine does not answer, or refuses.
    #[error("{engine}: cannot {action}: {reason}")]
    Engine {
        /// The engine, such as `docker`.
        engine: &'static str,
        /// The action that failed, as it completes "cannot …".
        action: String,
        /// The reason and, if known, a remedy.
        reason: String,
    },
    /// An external program failed.
    #[error("`{command}`: {reason}")]
    Command {
        /// Its command line.
        command: String,
        /// The reason, such as the exit status of the program.
        reason: String,
    },
    /// A program that cannot be part of an image.
    #[error("{} cannot be put into an image: {reason}", path.display())]
    Program {
        /// The program.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A signal came while an engine or an external program worked.
    #[error("stopped by a signal")]
    Stopped,
}

impl EngineError {
    /// Completes an I/O error with the file's path.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
