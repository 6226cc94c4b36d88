//! How a step of `cargo xtask test` ends that does not fail.

/// The end of a step.
pub(super) enum StepOutcome {
    /// It did its work.
    Done,
    /// It did nothing, for this reason.
    Skipped(String),
}
