//! The index of a recorded grid: the cells with their levels and folders.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The content of `grid.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridIndex {
    /// The cells, in the order in which each launch visits them.
    pub cells: Vec<CellRecord>,
}

/// One cell of a grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellRecord {
    /// Folder of the cell's run, relative to the grid's.
    pub folder: PathBuf,
    /// The level of each factor, by the factor's name.
    pub levels: BTreeMap<String, String>,
}
