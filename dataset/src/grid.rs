//! Runs that belong together: the cells of a grid, each a run's folder within one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::run::Run;

/// The file that names the cells. It is written when all of them are finished.
pub const GRID: &str = "grid.json";

/// What that file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridIndex {
    /// In the order in which each launch visits them.
    pub cells: Vec<CellRecord>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellRecord {
    /// Its run's folder, relative to the grid's.
    pub folder: PathBuf,
    /// The level of each factor.
    pub levels: BTreeMap<String, String>,
}

/// A recorded grid.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Its cells in order, with their levels.
    pub cells: Vec<(BTreeMap<String, String>, Run)>,
}

impl Grid {
    /// Whether a folder is a finished grid's.
    #[must_use]
    pub fn is_at(directory: &Path) -> bool {
        directory.join(GRID).is_file()
    }

    /// Opens all cells.
    ///
    /// # Errors
    /// When one is not as [`Run::open`] expects.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(GRID);
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let index: GridIndex = serde_json::from_str(&text).map_err(|source| Error::Json { path, source })?;
        let cells = index.cells.into_iter().map(|cell| {
            let run = Run::open(&directory.join(&cell.folder))?;
            Ok((cell.levels, run))
        });
        Ok(Self {
            cells: cells.collect::<Result<_, Error>>()?,
        })
    }
}
