//! The provenance of measurements.

use serde::{Deserialize, Serialize};

/// The relation of a condition to the conditions of the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// A measurement with the engine in the condition's name.
    #[strum(to_string = "measured")]
    Engine,
    /// Linux namespaces with the topology of a condition; no engine took part.
    Emulated,
    /// The 2023 recordings.
    #[strum(to_string = "2023 recordings")]
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

/// The origin of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum RunOrigin {
    /// The project; the run is kept with it.
    Recorded,
    /// The reader.
    Yours,
}
