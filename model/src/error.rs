//! The error of the checks of definitions.

use crate::invalid_value::InvalidValue;

/// A name or value that the model refuses. Each message names the key, the value found and the values expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A key has a value that is not valid.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// A name that stands for no item of its kind.
    #[error("there is no {kind} `{name}`; expected one of {expected}")]
    UnknownName {
        /// The kind of item, such as `condition`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The names that exist, separated by commas.
        expected: String,
    },
    /// Keys that contradict each other, in words.
    #[error("{0}")]
    Problem(String),
    /// An error inside a table of a definition.
    #[error("{table}: {error}")]
    Within {
        /// The table, such as `[[arm]] scan`.
        table: String,
        /// The error.
        error: Box<ModelError>,
    },
}

impl ModelError {
    /// Returns the error of a key whose value is not accepted.
    pub(crate) fn value(key: &str, found: impl ToString, expected: &str) -> Self {
        Self::Value(InvalidValue::new(key, found, expected))
    }

    /// Returns the error of a name that none of `known` has.
    pub(crate) fn unknown_name<'a>(kind: &'static str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        Self::UnknownName {
            kind,
            name: name.to_owned(),
            expected: known.join(", "),
        }
    }

    /// Returns this error with the table of the definition in which it occurred.
    #[must_use]
    pub fn within(self, table: impl Into<String>) -> Self {
        Self::Within {
            table: table.into(),
            error: Box::new(self),
        }
    }
}
