//! Grids: folders of runs that are the cells of one experiment.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use model::GridIndex;

use crate::error::Error;
use crate::run::Run;

/// File that names the cells. It is written when all cells are finished.
pub const GRID_FILE: &str = "grid.json";

/// A recorded grid.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The cells in their order: levels and run.
    pub cells: Vec<(BTreeMap<String, String>, Run)>,
}

impl Grid {
    /// Returns whether a folder holds a finished grid.
    #[must_use]
    pub fn is_at(directory: &Path) -> bool {
        directory.join(GRID_FILE).is_file()
    }

    /// Opens all cells.
    ///
    /// # Errors
    /// When `grid.json` or the run of a cell cannot be opened.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(GRID_FILE);
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
