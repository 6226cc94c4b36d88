//! Isolation levels: the separation of an embedded launch from the rest of the machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::error::ModelError;

/// The separation of an embedded launch from the rest of the machine. Serialised by its name, such as
/// `user-namespaces`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case", parse_err_ty = ModelError, parse_err_fn = unknown_level)]
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
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Returns the level's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

fn unknown_level(name: &str) -> ModelError {
    ModelError::unknown_name(
        "isolation level",
        name,
        IsolationLevel::ALL.iter().map(|level| level.name()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_to_its_level() {
        for level in IsolationLevel::ALL {
            assert_eq!(level.name().parse(), Ok(*level));
        }
        assert!("root".parse::<IsolationLevel>().is_err());
    }
}
