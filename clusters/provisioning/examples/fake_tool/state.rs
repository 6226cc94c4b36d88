//! The resources that the stand-ins have created.

use std::fs;
use std::path::PathBuf;

/// The existing resources; each is a file in `FAKE_STATE`.
pub(crate) struct State(pub(crate) PathBuf);

impl State {
    pub(crate) fn list(&self, kind: &str) -> Vec<String> {
        let entries = fs::read_dir(self.0.join(kind)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().to_string_lossy().replace('%', "/"))
            .collect();
        names.sort();
        names
    }

    pub(crate) fn create(&self, kind: &str, name: &str) -> Result<(), String> {
        if self.list(kind).iter().any(|there| there == name) {
            return Err(format!("{kind} {name} already exists"));
        }
        fs::create_dir_all(self.0.join(kind)).map_err(|error| error.to_string())?;
        fs::write(self.path(kind, name), "").map_err(|error| error.to_string())
    }

    pub(crate) fn delete(&self, kind: &str, name: &str) -> Result<(), String> {
        fs::remove_file(self.path(kind, name)).map_err(|_| format!("{kind} {name} does not exist"))
    }

    fn path(&self, kind: &str, name: &str) -> PathBuf {
        self.0.join(kind).join(name.replace('/', "%"))
    }
}
