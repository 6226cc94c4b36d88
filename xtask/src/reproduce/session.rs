//! A reproduction that is under way: what it has finished is not measured again when it was stopped and goes on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::runs::{self, Name};

/// Runs in one folder that belong to the same reproduction: all that began since it did.
pub(crate) struct Session {
    runs: PathBuf,
    /// Says when it began, for as long as it is under way.
    file: PathBuf,
    since: String,
}

impl Session {
    /// The one of this profile that is under way in `runs`, or a new one.
    ///
    /// # Errors
    /// When its file cannot be read or written.
    pub(crate) fn begin(profile: &str, runs: &Path) -> Result<Self> {
        let file = runs.join(format!(".reproduce-{profile}"));
        let since = match std::fs::read_to_string(&file) {
            Ok(since) => {
                eprintln!(
                    "the reproduction that began at {since} goes on; remove {} to begin anew",
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

    /// The run of this name that it has finished already.
    ///
    /// # Errors
    /// When the folder of runs cannot be listed.
    pub(super) fn finished(&self, name: &Name) -> Result<Option<PathBuf>> {
        name.finished_since(&self.runs, &self.since)
    }

    pub(super) fn runs(&self) -> &Path {
        &self.runs
    }

    /// Nothing of it is left to be done.
    ///
    /// # Errors
    /// When its file cannot be removed.
    pub(super) fn end(self) -> Result<()> {
        std::fs::remove_file(&self.file).with_context(|| format!("removing {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_finished_before_it_was_stopped_is_not_measured_again() {
        let runs = tempfile::tempdir().unwrap();
        let name = Name::new("r05-default", &[b"definition"]);
        let finish = |folder: PathBuf| {
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("manifest.json"), "{}").unwrap();
            folder
        };
        // Of another, years ago.
        let earlier = name.new_folder(runs.path()).unwrap();
        let earlier = earlier.to_string_lossy();
        finish(format!("{}20190101T000000Z", &earlier[..earlier.len() - 16]).into());
        let session = Session::begin("default", runs.path()).unwrap();
        assert_eq!(session.finished(&name).unwrap(), None);
        let own = finish(name.new_folder(runs.path()).unwrap());
        drop(session);
        let session = Session::begin("default", runs.path()).unwrap();
        assert_eq!(session.finished(&name).unwrap(), Some(own));
        let other = Name::new("r05-default", &[b"another definition"]);
        assert_eq!(session.finished(&other).unwrap(), None);
        session.end().unwrap();
        assert_eq!(std::fs::read_dir(runs.path()).unwrap().count(), 2);
    }
}
