//! Treatments: the change to a server whose cost an experiment measures.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// The change to a server: none, the project's hook in one of its modes, or another shared object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[derive(IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Treatment {
    /// No change.
    Unmodified,
    /// The hook passes each call on.
    Forward,
    /// The hook also keeps track of accepted sockets.
    Track,
    /// The hook also searches each payload for words.
    Scan,
    /// The hook also logs each payload in which it finds a word.
    Log,
    /// The hook runs the algorithm of the 2023 study.
    Upstream,
    /// The hook holds each payload back for a set time.
    Delay,
    /// The server loads another shared object.
    Preload,
}

impl Treatment {
    /// Returns the mode of the project's hook; `None` where the server does not load it.
    #[must_use]
    pub fn mode(self) -> Option<&'static str> {
        match self {
            Self::Unmodified | Self::Preload => None,
            _ => Some(self.name()),
        }
    }

    /// Returns the treatment's name in definitions and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A shared object that is not the project's hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreloadedObject {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, in hexadecimal; none in definitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Environment variables for the server that loads it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}
