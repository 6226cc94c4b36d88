//! Folders of runs: their names, and which run is finished, continued or chosen.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use crate::paths;
use crate::programs::Program;

/// The name of a run: its title, a hash of its inputs, and the time at which it began.
pub(crate) struct RunName {
    stem: String,
}

impl RunName {
    /// `inputs` are all inputs of the measurement: an unfinished run continues only with the same ones.
    pub(crate) fn new(title: &str, inputs: &[&[u8]]) -> Self {
        // The separator 0xff occurs in no text: ["ab", "c"] and ["a", "bc"] differ.
        let hash = hex::encode(Sha256::digest(inputs.join(&0xff)));
        Self {
            stem: format!("{title}-{}", &hash[..8]),
        }
    }

    /// The latest unfinished run of this name in `runs`, or a new folder's path, not yet made.
    ///
    /// # Errors
    /// When `runs` cannot be listed or the time cannot be read.
    pub(crate) fn folder(&self, runs: &Path) -> Result<(PathBuf, RunProgress)> {
        let unfinished = folders(runs)?
            .into_iter()
            .rfind(|folder| self.is_name_of(folder) && !is_finished(folder));
        if let Some(folder) = unfinished {
            return Ok((folder, RunProgress::Continued));
        }
        Ok((self.new_folder(runs)?, RunProgress::New))
    }

    /// A new folder's path in `runs`, not yet made.
    ///
    /// # Errors
    /// When the time cannot be read.
    pub(crate) fn new_folder(&self, runs: &Path) -> Result<PathBuf> {
        Ok(runs.join(format!("{}-{}", self.stem, now()?)))
    }

    /// The latest finished run of this name in `runs` that began at `since` or later.
    ///
    /// # Errors
    /// When `runs` cannot be listed.
    pub(crate) fn finished_since(&self, runs: &Path, since: &str) -> Result<Option<PathBuf>> {
        let finished = |folder: &PathBuf| self.is_name_of(folder) && is_finished(folder) && *began(folder) >= *since;
        Ok(folders(runs)?.into_iter().rfind(finished))
    }

    fn is_name_of(&self, folder: &Path) -> bool {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix(&self.stem).is_some_and(|rest| rest.starts_with('-'))
    }
}

/// The progress of a run: its folder is new, or already holds finished launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunProgress {
    New,
    Continued,
}

/// The given run, or else the latest finished one.
///
/// # Errors
/// When no run is finished, or the given one is not.
pub(crate) fn chosen(given: Option<&Path>) -> Result<PathBuf> {
    match given {
        Some(run) if is_finished(run) => Ok(run.to_owned()),
        Some(run) => anyhow::bail!(
            "{} has no manifest.json, so the run is not finished; repeat the command that began it",
            run.display()
        ),
        None => folders(Path::new(paths::RUNS))?
            .into_iter()
            .filter(|folder| is_finished(folder))
            .max_by_key(|folder| began(folder))
            .with_context(|| {
                format!(
                    "there is no finished run in {}; measure one with `cargo xtask reproduce`, or name one with --run",
                    paths::RUNS
                )
            }),
    }
}

/// The latest finished run of an experiment, or else the recorded one. Runs of the profile smoke are too short and left out.
///
/// # Errors
/// When the experiment has neither.
pub(crate) fn of_experiment(name: &str) -> Result<PathBuf> {
    let own = folders(Path::new(paths::RUNS))?.into_iter().filter(|folder| {
        let stem = folder.file_name().unwrap_or_default().to_string_lossy();
        let mut words = stem.split('-');
        words.next() == Some(name) && words.next() != Some("smoke") && is_finished(folder)
    });
    // Of several machines' recorded runs, the first in the order of their names.
    let machines = folders(Path::new(paths::REFERENCE))?.into_iter();
    let mut recorded = machines
        .map(|machine| machine.join(name))
        .filter(|run| is_finished(run));
    own.max_by_key(|folder| began(folder))
        .or_else(|| recorded.next())
        .with_context(|| format!("there is no finished run of {name}; measure one with `cargo xtask run {name}`"))
}

/// The folder of a run's report.
pub(crate) fn report_of(run: &Path) -> PathBuf {
    Path::new(paths::REPORTS).join(run.file_name().unwrap_or("run".as_ref()))
}

/// Returns true if the folder has a manifest or a list of cells, which are written after the last launch.
fn is_finished(run: &Path) -> bool {
    run.join("manifest.json").is_file() || is_grid(run)
}

/// Returns true if the folder holds a grid, whose cells are runs.
pub(crate) fn is_grid(run: &Path) -> bool {
    run.join("grid.json").is_file()
}

/// The time at which the run began, from its name; it sorts by time.
fn began(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit('-').next().unwrap_or_default().to_owned()
}

/// The current time in the form of run names.
///
/// # Errors
/// When `date` cannot be started.
pub(crate) fn now() -> Result<String> {
    let now = Program::new("date").args(["--utc", "+%Y%m%dT%H%M%SZ"]).output()?;
    Ok(now.trim().to_owned())
}

/// The folders in `runs`, sorted by name; none where `runs` does not exist.
///
/// # Errors
/// When `runs` cannot be listed.
pub(crate) fn folders(runs: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    match std::fs::read_dir(runs) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        listing => {
            for entry in listing.with_context(|| format!("listing the runs in {}", runs.display()))? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_run_with_the_same_inputs_continues() {
        let runs = tempfile::tempdir().unwrap();
        let name = RunName::new("overhead-default", &[b"plan"]);
        let (first, progress) = name.folder(runs.path()).unwrap();
        assert_eq!(progress, RunProgress::New);
        std::fs::create_dir(&first).unwrap();
        assert_eq!(
            name.folder(runs.path()).unwrap(),
            (first.clone(), RunProgress::Continued)
        );
        let other = RunName::new("overhead-default", &[b"another plan"]);
        assert_eq!(other.folder(runs.path()).unwrap().1, RunProgress::New);
        std::fs::write(first.join("manifest.json"), "{}").unwrap();
        assert_eq!(name.folder(runs.path()).unwrap().1, RunProgress::New);
    }

    #[test]
    fn only_a_finished_run_is_analysed() {
        let run = tempfile::tempdir().unwrap();
        assert!(chosen(Some(run.path())).is_err());
        std::fs::write(run.path().join("manifest.json"), "{}").unwrap();
        assert_eq!(chosen(Some(run.path())).unwrap(), run.path());
    }
}
