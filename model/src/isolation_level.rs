//! Isolation levels: the separation of an embedded launch from the rest of the machine.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;

/// The separation of an embedded launch from the rest of the machine. Serialised by its name, such as
/// `user-namespaces`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IsolationLevel {
    /// The launch has its own network and process namespaces. The runner has the rights to make them.
    Namespaces,
    /// The launch has its own network and process namespaces inside an unprivileged user namespace.
    UserNamespaces,
    /// The launch has no namespace of its own. It shares the machine's loopback device with all other programs.
    Loopback,
}

impl IsolationLevel {
    /// All levels, the best first.
    pub const ALL: [Self; 3] = [Self::Namespaces, Self::UserNamespaces, Self::Loopback];

    /// Returns the level's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::UserNamespaces => "user-namespaces",
            Self::Loopback => "loopback",
        }
    }
}

impl fmt::Display for IsolationLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for IsolationLevel {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| ModelError::unknown_name("isolation level", text, Self::ALL.map(Self::name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_to_its_level() {
        for level in IsolationLevel::ALL {
            assert_eq!(level.name().parse(), Ok(level));
        }
        assert!("root".parse::<IsolationLevel>().is_err());
    }
}
