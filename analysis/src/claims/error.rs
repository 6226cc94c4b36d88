//! What can be wrong with `claims.toml` or with what is held against it.

use super::evidence::Unit;

/// Why nothing can be judged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClaimsError {
    /// The text is not as expected; the message has line, column and key.
    #[error("{file}: {message}")]
    Syntax {
        /// Which file.
        file: String,
        /// What the TOML library says.
        message: String,
    },
    /// Well-formed, but it contradicts itself.
    #[error("{file}: {place}: {what}")]
    Meaning {
        /// Which file.
        file: String,
        /// Which table.
        place: String,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// A quantity in another unit than its claim.
    #[error(
        "run {run}: {quantity} is in {found}, but claim {claim} expects {expected}; mend the experiment or the claim"
    )]
    Unit {
        /// The run.
        run: String,
        /// The quantity's name.
        quantity: String,
        /// Its unit.
        found: Unit,
        /// The claim.
        claim: String,
        /// Its unit.
        expected: Unit,
    },
}
