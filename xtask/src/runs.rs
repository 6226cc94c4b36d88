//! Folders of runs: their names, which of them are finished, which one goes on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::paths;
use crate::programs::Program;

/// What a run is called: what it measures, a mark of its inputs, and when it began.
pub(crate) struct Name {
    stem: String,
}

impl Name {
    /// `inputs` are all that decides what is measured: two runs with the same inputs may be continued by each other.
    pub(crate) fn new(title: &str, inputs: &[&[u8]]) -> Self {
        Self {
            stem: format!("{title}-{:08x}", mark(inputs)),
        }
    }

    /// The latest unfinished run of this name in `runs`, or a new folder's path, not yet made.
    ///
    /// # Errors
    /// When `runs` cannot be listed or the time cannot be told.
    pub(crate) fn folder(&self, runs: &Path) -> Result<(PathBuf, Progress)> {
        let unfinished = folders(runs)?
            .into_iter()
            .rfind(|folder| self.is_name_of(folder) && !is_finished(folder));
        if let Some(folder) = unfinished {
            return Ok((folder, Progress::Continued));
        }
        Ok((self.new_folder(runs)?, Progress::New))
    }

    /// A new folder's path in `runs`, not yet made.
    ///
    /// # Errors
    /// When the time cannot be told.
    pub(crate) fn new_folder(&self, runs: &Path) -> Result<PathBuf> {
        Ok(runs.join(format!("{}-{}", self.stem, now()?)))
    }

    /// The latest finished run of this name in `runs` that began then or later.
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

/// Whether a run's folder holds finished launches already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    New,
    Continued,
}

/// The run that a verb means: the one given, or else the latest finished one.
///
/// # Errors
/// When none is finished, or the one given is not.
pub(crate) fn chosen(given: Option<&Path>) -> Result<PathBuf> {
    match given {
        Some(run) if is_finished(run) => Ok(run.to_owned()),
        Some(run) => anyhow::bail!(
            "{} has no manifest.json, so it is no finished run; give the same command again that began it",
            run.display()
        ),
        None => folders(Path::new(paths::RUNS))?
            .into_iter()
            .filter(|folder| is_finished(folder))
            .max_by_key(|folder| began(folder))
            .with_context(|| {
                format!(
                    "there is no finished run in {}; make one by `cargo xtask reproduce`, or name one by --run",
                    paths::RUNS
                )
            }),
    }
}

/// The latest finished run of an experiment, or else the recorded one; those of the smoke profile are too short to be shown.
///
/// # Errors
/// When there is neither.
pub(crate) fn of_experiment(name: &str) -> Result<PathBuf> {
    let own = folders(Path::new(paths::RUNS))?.into_iter().filter(|folder| {
        let stem = folder.file_name().unwrap_or_default().to_string_lossy();
        let mut words = stem.split('-');
        words.next() == Some(name) && words.next() != Some("smoke") && is_finished(folder)
    });
    let recorded = recorded(name)?;
    own.max_by_key(|folder| began(folder))
        .or_else(|| recorded.into_iter().next())
        .with_context(|| format!("there is no finished run of {name}; make one by `cargo xtask run {name}`"))
}

/// The recorded runs of this name, one for each machine that has one, in the order of the machines' names.
///
/// # Errors
/// When the folder of recorded runs cannot be listed.
fn recorded(name: &str) -> Result<Vec<PathBuf>> {
    let machines = folders(Path::new(paths::REFERENCE))?.into_iter();
    let runs = machines.map(|machine| machine.join(name));
    Ok(runs.filter(|run| is_finished(run)).collect())
}

/// Where the report of a run goes.
pub(crate) fn report_of(run: &Path) -> PathBuf {
    Path::new(paths::REPORTS).join(run.file_name().unwrap_or("run".as_ref()))
}

/// The manifest, or the list of a grid's cells, is written when all launches are there.
fn is_finished(run: &Path) -> bool {
    run.join("manifest.json").is_file() || is_grid(run)
}

/// Whether it is a grid's folder, whose cells are runs.
pub(crate) fn is_grid(run: &Path) -> bool {
    run.join("grid.json").is_file()
}

/// The part of a name that says when the run began, which sorts by time.
fn began(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit('-').next().unwrap_or_default().to_owned()
}

/// The time as names of runs have it.
///
/// # Errors
/// When `date` cannot be started.
pub(crate) fn now() -> Result<String> {
    let now = Program::new("date").args(["--utc", "+%Y%m%dT%H%M%SZ"]).output()?;
    Ok(now.trim().to_owned())
}

/// Folders in `runs`, sorted by name; none where there is no such folder.
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

/// FNV-1a, 32 bits: tells apart the few definitions that one clone sees.
fn mark(inputs: &[&[u8]]) -> u32 {
    // A byte that no text holds keeps ["ab", "c"] and ["a", "bc"] apart.
    let bytes = inputs.iter().flat_map(|input| input.iter().chain(&[0xff]));
    bytes.fold(0x811c_9dc5, |mark, &byte| {
        (mark ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_run_of_the_same_inputs_goes_on() {
        let runs = tempfile::tempdir().unwrap();
        let name = Name::new("overhead-default", &[b"plan"]);
        let (first, progress) = name.folder(runs.path()).unwrap();
        assert_eq!(progress, Progress::New);
        std::fs::create_dir(&first).unwrap();
        assert_eq!(name.folder(runs.path()).unwrap(), (first.clone(), Progress::Continued));
        let other = Name::new("overhead-default", &[b"another plan"]);
        assert_eq!(other.folder(runs.path()).unwrap().1, Progress::New);
        std::fs::write(first.join("manifest.json"), "{}").unwrap();
        assert_eq!(name.folder(runs.path()).unwrap().1, Progress::New);
    }

    #[test]
    fn only_a_finished_run_is_analysed() {
        let run = tempfile::tempdir().unwrap();
        assert!(chosen(Some(run.path())).is_err());
        std::fs::write(run.path().join("manifest.json"), "{}").unwrap();
        assert_eq!(chosen(Some(run.path())).unwrap(), run.path());
    }
}
