//! Errors of reading samples.

use std::path::PathBuf;

/// The reason why a launch gives no samples.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// The run's folder or manifest cannot be read.
    #[error(transparent)]
    Run(#[from] dataset::Error),
    /// The observations of one launch cannot be read.
    #[error("launch {launch} of condition {condition}: {source}")]
    Launch {
        /// The condition.
        condition: String,
        /// The number of the launch within the condition.
        launch: u32,
        /// The error of the reader; it names the file.
        source: dataset::Error,
    },
    /// The file of observations has no row.
    #[error("{} holds no observation; delete the run and measure again", .0.display())]
    Empty(PathBuf),
}
