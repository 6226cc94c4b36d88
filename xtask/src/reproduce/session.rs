//! A reproduction in progress: after an interruption, the same command measures only the unfinished experiments.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::runs::{self, RunName};

/// The runs of one reproduction: those in a folder that began after it.
pub(crate) struct Session {
    runs: PathBuf,
    /// The file that holds the time at which the reproduction began; it exists until the end.
    file: PathBuf,
    since: String,
}

impl Session {
    /// Continues the reproduction of this profile in `runs`, or begins one.
    ///
    /// # Errors
    /// When the file of the reproduction cannot be read or written.
    pub(crate) fn begin(profile: &str, runs: &Path) -> Result<Self> {
        let file = runs.join(format!(".reproduce-{profile}"));
        let since = match std::fs::read_to_string(&file) {
            Ok(since) => {
                eprintln!(
                    "continuing the reproduction that began at {since}; remove {} to begin a new one",
                    file.display()
                );
                since
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let now = runs::now()?;
                std::fs::create_dir_all(runs)
                    .and_then(|()| std::fs::write(&file, &now))
                    .with_context(|| format!("writing {}", file.display()))?;
                now
            }
            Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
        };
        Ok(Self {
            runs: runs.to_owned(),
            file,
            since,
        })
    }

    /// The finished run of this name.
    ///
    /// # Errors
    /// When the folder of runs cannot be listed.
    pub(super) fn finished(&self, name: &RunName) -> Result<Option<PathBuf>> {
        name.finished_since(&self.runs, &self.since)
    }

    pub(super) fn runs(&self) -> &Path {
        &self.runs
    }

    /// Ends the reproduction.
    ///
    /// # Errors
    /// When the file of the reproduction cannot be removed.
    pub(super) fn end(self) -> Result<()> {
        std::fs::remove_file(&self.file).with_context(|| format!("removing {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experiments_that_an_interrupted_reproduction_finished_are_not_measured_again() {
        let runs = tempfile::tempdir().unwrap();
        let name = RunName::new("r05-default", &[b"definition"]);
        let finish = |folder: PathBuf| {
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("manifest.json"), "{}").unwrap();
            folder
        };
        // A run of an earlier reproduction.
        let earlier = name.new_folder(runs.path()).unwrap();
        let earlier = earlier.to_string_lossy();
        finish(format!("{}20190101T000000Z", &earlier[..earlier.len() - 16]).into());
        let session = Session::begin("default", runs.path()).unwrap();
        assert_eq!(session.finished(&name).unwrap(), None);
        let own = finish(name.new_folder(runs.path()).unwrap());
        drop(session);
        let session = Session::begin("default", runs.path()).unwrap();
        assert_eq!(session.finished(&name).unwrap(), Some(own));
        let other = RunName::new("r05-default", &[b"another definition"]);
        assert_eq!(session.finished(&other).unwrap(), None);
        session.end().unwrap();
        assert_eq!(std::fs::read_dir(runs.path()).unwrap().count(), 2);
    }
}
