//! Errors in `claims.toml` and in the evidence.

use super::interval::Unit;
use super::quantity::Quantity;

/// The reason why claims cannot be judged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClaimsError {
    /// The text is not TOML of the expected form.
    #[error("{file}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// The message of the TOML library, with line, column and key.
        message: String,
    },
    /// A value is well-formed and contradicts another one.
    #[error("{file}: {table}: {message}")]
    Meaning {
        /// The file.
        file: String,
        /// The table in the file.
        table: String,
        /// The key, its value and the expected value.
        message: String,
    },
    /// The evidence has a quantity in another unit than its claim.
    #[error(
        "run {run}: {quantity} is in {found}, but claim {claim} expects {expected}; measure again, or correct the file \
         of kept quantities"
    )]
    Unit {
        /// The run.
        run: String,
        /// The quantity.
        quantity: Quantity,
        /// The unit in the evidence.
        found: Unit,
        /// The claim.
        claim: String,
        /// The unit of the claim.
        expected: Unit,
    },
}
