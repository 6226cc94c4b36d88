//! Where measurements come from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a condition relates to the conditions of the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// The engine that the condition's name says took part.
    Engine,
    /// Linux namespaces with the topology of a condition; no engine took part.
    Emulated,
    /// The 2023 recordings.
    Recorded,
}

impl Provenance {
    /// The provenance of a run of this project, by the name of its condition.
    #[must_use]
    pub fn of(condition: &str) -> Self {
        if condition.starts_with("local-") {
            Self::Emulated
        } else {
            Self::Engine
        }
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Engine => "measured",
            Self::Emulated => "emulated",
            Self::Recorded => "2023 recordings",
        })
    }
}

/// Who recorded a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOrigin {
    /// The project; the run is kept with it.
    Recorded,
    /// The reader.
    Yours,
}

impl fmt::Display for RunOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Recorded => "recorded",
            Self::Yours => "yours",
        })
    }
}
