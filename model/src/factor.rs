//! Factors of a grid.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One level of one factor: a coordinate of a cell in a grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorLevel {
    /// The factor's name.
    pub factor: String,
    /// The level's name.
    pub level: String,
}

impl FactorLevel {
    /// Returns the name of a cell's folder within the folder of its grid; empty for an experiment without factors.
    #[must_use]
    pub fn folder_name(cell: &[Self]) -> String {
        let word = |text: &str| -> String {
            let plain = text.to_lowercase().replace('µ', "u");
            let words = plain.split(|letter: char| !letter.is_ascii_alphanumeric());
            words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
        };
        let names: Vec<String> = cell.iter().map(|coordinate| word(&coordinate.level)).collect();
        names.join("_")
    }
}
