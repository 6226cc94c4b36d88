//! The error of a key whose value is not valid.

/// A key whose value is not valid: the key, the value that was found, and the values that are valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {found}; expected {expected}")]
pub struct InvalidValue {
    /// Path of the key, such as `request.method`.
    pub key: String,
    /// The value that was found, or a description of it.
    pub found: String,
    /// The values that are valid.
    pub expected: String,
}

impl InvalidValue {
    /// Makes the error from its three parts.
    pub(crate) fn new(key: &str, found: impl ToString, expected: &str) -> Self {
        Self {
            key: key.to_owned(),
            found: found.to_string(),
            expected: expected.to_owned(),
        }
    }
}

/// Returns the error of the three parts unless the condition holds.
pub(crate) fn require(holds: bool, key: &str, found: impl ToString, expected: &str) -> Result<(), InvalidValue> {
    if holds {
        Ok(())
    } else {
        Err(InvalidValue::new(key, found, expected))
    }
}
