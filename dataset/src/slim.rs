//! Recorded runs small enough for a repository: only what the analysis reads is kept.

use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::grid::Grid;
use crate::ro_crate::{RO_CRATE, ro_crate};
use crate::run::{Run, write_file, write_json};

/// Folders of tables whose summaries stand in the manifest, and of launch records, all of which the manifest repeats.
const LEFT_OUT: [&str; 5] = ["hook_calls", "server_calls", "tight_loops", "resources", "launches"];
/// What a reader should know.
const NOTE: &str = "made slim: tables of calls and of resources were left out; their summaries are in the manifest";

/// Leaves the plan, the observations and the manifest of a finished run, or of each cell of a grid. The manifest is written
/// first, so that a reader never misses a file that it names. A second time nothing is left to do.
///
/// # Errors
/// When it is no finished run, or the disk is full.
pub fn slim(directory: &Path) -> Result<(), Error> {
    if Grid::is_at(directory) {
        return Grid::open(directory)?
            .cells
            .into_iter()
            .try_for_each(|(_, run)| one(run));
    }
    one(Run::open(directory)?)
}

fn one(run: Run) -> Result<(), Error> {
    let Run {
        directory,
        mut manifest,
    } = run;
    let left_out = |path: &str| LEFT_OUT.iter().any(|folder| path.split('/').next() == Some(*folder));
    manifest.files.retain(|file| !left_out(&file.path));
    for launch in &mut manifest.launches {
        launch.hook_calls = None;
        launch.server_calls = None;
        launch.tight_loops = None;
        launch.monitor = None;
    }
    if !manifest.notes.iter().any(|note| note == NOTE) {
        manifest.notes.push(NOTE.to_owned());
    }
    write_json(&directory.join(RO_CRATE), &ro_crate(&manifest))?;
    let path = directory.join("manifest.json");
    let text = serde_json::to_string(&manifest).map_err(|source| Error::Json {
        path: path.clone(),
        source,
    })?;
    write_file(&path, (text + "\n").as_bytes())?;
    for folder in LEFT_OUT.map(|name| directory.join(name)) {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("remove", &folder)(error));
            }
            _ => {}
        }
    }
    Ok(())
}
