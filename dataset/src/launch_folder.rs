//! Folders of launches: `RUN/CONDITION/NNNN`. A launch is finished when its folder has this name.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use model::{LAUNCH_RECORD_FILE, LaunchRecord, launch_folder};

use crate::atomic_file::write_json;
use crate::error::Error;

/// Extension of the folder of a launch that is not finished.
const UNFINISHED: &str = "unfinished";

/// The folder of a launch that is not finished: `RUN/CONDITION/NNNN.unfinished`. It is removed when this value is dropped before
/// [`finish`](Self::finish).
#[derive(Debug)]
pub struct UnfinishedLaunch {
    path: PathBuf,
    finished: PathBuf,
}

impl UnfinishedLaunch {
    /// Makes the folder.
    ///
    /// # Errors
    /// When the folder cannot be made, or exists.
    pub fn begin(run: &Path, condition: &str, launch: u32) -> Result<Self, Error> {
        let finished = run.join(launch_folder(condition, launch));
        let path = finished.with_added_extension(UNFINISHED);
        let parent = path.parent().unwrap_or(run);
        fs::create_dir_all(parent).map_err(Error::io("make the folder", parent))?;
        fs::create_dir(&path).map_err(Error::io("make the folder", &path))?;
        Ok(Self { path, finished })
    }

    /// Returns the folder in which the launch's files are written.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the launch's record, removes all files that the record does not name, and gives the folder its name by one
    /// rename.
    ///
    /// # Errors
    /// When the record cannot be written or the folder cannot be renamed.
    pub fn finish(self, record: &LaunchRecord) -> Result<(), Error> {
        self.remove_all_but(record)?;
        write_json(&self.path.join(LAUNCH_RECORD_FILE), record)?;
        fs::rename(&self.path, &self.finished).map_err(Error::io("rename", &self.path))?;
        // The rename is on the disk when the parent folder is.
        let parent = self.finished.parent().unwrap_or(&self.finished);
        File::open(parent)
            .and_then(|folder| folder.sync_all())
            .map_err(Error::io("write", parent))
    }
}

impl UnfinishedLaunch {
    fn remove_all_but(&self, record: &LaunchRecord) -> Result<(), Error> {
        let kept: Vec<&OsStr> = record
            .files
            .all()
            .filter_map(|name| Path::new(name).file_name())
            .collect();
        let list = || fs::read_dir(&self.path)?.collect::<io::Result<Vec<_>>>();
        for entry in list().map_err(Error::io("list", &self.path))? {
            let path = entry.path();
            if kept.contains(&entry.file_name().as_os_str()) {
                continue;
            }
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.map_err(Error::io("remove", &path))?;
        }
        Ok(())
    }
}

impl Drop for UnfinishedLaunch {
    fn drop(&mut self) {
        // After `finish` no folder has this path. Without `finish` the caller already returns an error, so an error
        // here is ignored.
        _ = fs::remove_dir_all(&self.path);
    }
}

/// Reads the record of a finished launch; `None` if the launch is not finished.
///
/// # Errors
/// When the record is damaged.
pub fn read_launch(run: &Path, condition: &str, launch: u32) -> Result<Option<LaunchRecord>, Error> {
    let path = run.join(launch_folder(condition, launch)).join(LAUNCH_RECORD_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|source| Error::LaunchRecord { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", &path)(error)),
    }
}

/// Removes the folders of launches that a killed runner did not finish.
///
/// # Errors
/// When a folder cannot be listed or removed.
pub fn remove_unfinished_launches(run: &Path) -> Result<(), Error> {
    for condition in folders_in(run)? {
        for launch in folders_in(&condition)? {
            if launch.extension().is_some_and(|extension| extension == UNFINISHED) {
                fs::remove_dir_all(&launch).map_err(Error::io("remove", &launch))?;
            }
        }
    }
    Ok(())
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io("list", folder))?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let paths: Vec<PathBuf> = paths.collect::<io::Result<_>>().map_err(Error::io("list", folder))?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_appears_by_one_rename() {
        let run = tempfile::tempdir().unwrap();
        let unfinished = UnfinishedLaunch::begin(run.path(), "local-pod", 3).unwrap();
        fs::write(unfinished.path().join("observations.parquet"), "rows").unwrap();
        fs::write(unfinished.path().join("plan.json"), "for the load generator").unwrap();
        assert_eq!(read_launch(run.path(), "local-pod", 3).unwrap(), None);
        let record = LaunchRecord::of_observations("local-pod", 3);
        unfinished.finish(&record).unwrap();
        assert_eq!(read_launch(run.path(), "local-pod", 3).unwrap(), Some(record));
        let names: Vec<_> = fs::read_dir(run.path().join("local-pod")).unwrap().collect();
        assert_eq!(names.len(), 1);
        assert!(run.path().join("local-pod/0003/observations.parquet").exists());
        assert!(!run.path().join("local-pod/0003/plan.json").exists());
    }

    #[test]
    fn a_launch_that_failed_or_was_killed_leaves_nothing() {
        let run = tempfile::tempdir().unwrap();
        drop(UnfinishedLaunch::begin(run.path(), "local-pod", 0).unwrap());
        let killed = UnfinishedLaunch::begin(run.path(), "local-pod", 1).unwrap();
        std::mem::forget(killed);
        remove_unfinished_launches(run.path()).unwrap();
        assert_eq!(fs::read_dir(run.path().join("local-pod")).unwrap().count(), 0);
        assert!(UnfinishedLaunch::begin(run.path(), "local-pod", 1).is_ok());
    }

    #[test]
    fn a_damaged_record_is_named() {
        let run = tempfile::tempdir().unwrap();
        let folder = run.path().join("local-pod/0000");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("launch.json"), "{").unwrap();
        let error = read_launch(run.path(), "local-pod", 0).unwrap_err().to_string();
        assert!(
            error.contains("launch.json") && error.contains("remove the launch's folder"),
            "{error}"
        );
    }
}
