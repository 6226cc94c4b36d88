//! The error of a step of `cargo xtask test` whose prerequisites are missing.

/// The reason why a step did not run. Such a step counts as skipped, and not as failed.
#[derive(Debug)]
pub(super) struct Skipped(String);

impl Skipped {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Skipped {}
