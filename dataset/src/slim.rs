//! Removes the tables that the analysis does not read, so that a recorded run is small enough for a repository.

use std::fs;
use std::io;
use std::path::Path;

use model::{LAUNCH_RECORD_FILE, LaunchFiles, MANIFEST_FILE, launch_folder};

use crate::atomic_file::{write_file, write_json};
use crate::error::Error;
use crate::grid::Grid;
use crate::ro_crate::{RO_CRATE, ro_crate};
use crate::run::Run;

/// Note for readers of a slim run.
const NOTE: &str = "made slim: tables of calls and of resources were left out; their summaries are in the manifest";

/// Removes all files of a finished run, or of each cell of a grid, except plan, observations and manifest. The manifest, which
/// repeats the launch records, is written first: a reader never misses a file that it names. A second call changes nothing.
///
/// # Errors
/// When the folder holds no finished run, or a file cannot be written or removed.
pub fn slim(directory: &Path) -> Result<(), Error> {
    if Grid::is_at(directory) {
        return Grid::open(directory)?
            .cells
            .into_iter()
            .try_for_each(|(_, run)| slim_run(run));
    }
    slim_run(Run::open(directory)?)
}

fn slim_run(run: Run) -> Result<(), Error> {
    let Run {
        directory,
        mut manifest,
    } = run;
    let mut left_out: Vec<String> = Vec::new();
    for launch in &mut manifest.launches {
        let kept = LaunchFiles {
            observations: launch.files.observations.clone(),
            ..LaunchFiles::default()
        };
        let files = std::mem::replace(&mut launch.files, kept);
        left_out.extend(files.all().skip(1).map(str::to_owned));
        let folder = launch_folder(&launch.condition, launch.launch);
        left_out.push(format!("{folder}/{LAUNCH_RECORD_FILE}"));
        launch.monitor = None;
    }
    manifest.files.retain(|file| !left_out.contains(&file.path));
    if !manifest.notes.iter().any(|note| note == NOTE) {
        manifest.notes.push(NOTE.to_owned());
    }
    write_json(&directory.join(RO_CRATE), &ro_crate(&manifest))?;
    let path = directory.join(MANIFEST_FILE);
    let text = serde_json::to_string(&manifest).map_err(|source| Error::Json {
        path: path.clone(),
        source,
    })?;
    write_file(&path, (text + "\n").as_bytes())?;
    for file in left_out.iter().map(|name| directory.join(name)) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", &file)(error)),
            _ => {}
        }
    }
    Ok(())
}
