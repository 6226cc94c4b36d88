//! The ledger of recordings.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, Result};
use model::{LedgerEntry, LedgerEvent};

use crate::run::registration::Registration;

/// The file of the ledger.
#[derive(Debug)]
pub(super) struct LedgerFile {
    pub(super) path: PathBuf,
}

impl LedgerFile {
    /// Returns the last event of a run on this machine under this plan; `None` if the ledger has none.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(super) fn last(&self, run: &str, registration: &Registration) -> Result<Option<LedgerEvent>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.path.display())),
        };
        let entries = LedgerEntry::parse_all(&text).with_context(|| self.path.display().to_string())?;
        let last = LedgerEntry::last(&entries, run, &registration.machine, &registration.plan_sha256);
        Ok(last.map(|entry| entry.event.clone()))
    }

    /// Adds a line, and waits until the disk has it.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub(super) fn add(&self, run: &str, registration: &Registration, event: LedgerEvent) -> Result<()> {
        let entry = LedgerEntry {
            time: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            run: run.to_owned(),
            machine: registration.machine.clone(),
            plan_sha256: registration.plan_sha256.clone(),
            commit: registration.commit.clone(),
            event,
        };
        let line = serde_json::to_string(&entry)? + "\n";
        self.append(&line)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn append(&self, line: &str) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::options().append(true).create(true).open(&self.path)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }
}
