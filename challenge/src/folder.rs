//! The folder of a challenge, and the checksums by which a later change of its files is found.
//!
//! ```text
//! seal.sha256             the hash of the sealed list, written before the first trial
//! files.sha256            the hashes of the files of finished trials
//! sealed/sealed.json      the sealed list
//! sealed/truth-NNN.json   the true delays of a trial
//! trials/NNN/             the run of a trial, its objects and its answers
//! outcome.json, outcome.txt, figures/
//! ```
//!
//! Both lists of hashes have the form of `sha256sum --check`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::de::DeserializeOwned;

use crate::sealed_list::{SealedList, SealedTrial};

const LIST: &str = "sealed/sealed.json";
const SEAL: &str = "seal.sha256";
const FILES: &str = "files.sha256";

/// The folder of a challenge whose list was drawn.
#[derive(Debug)]
pub(crate) struct ChallengeFolder {
    pub(crate) path: PathBuf,
    pub(crate) list: SealedList,
    /// SHA-256 of the sealed list's file, in hexadecimal.
    pub(crate) list_sha256: String,
    /// By path in the folder, the SHA-256 of each file of a finished trial.
    files: BTreeMap<String, String>,
}

/// The files of one trial that its finish records, by their paths in the challenge's folder.
pub(crate) fn answer_file(trial: &SealedTrial) -> String {
    format!("{}/answer.json", trial_folder(trial))
}

pub(crate) fn peers_file(trial: &SealedTrial) -> String {
    format!("{}/peers.json", trial_folder(trial))
}

pub(crate) fn manifest_file(trial: &SealedTrial) -> String {
    format!("{}/run/manifest.json", trial_folder(trial))
}

pub(crate) fn truth_file(trial: &SealedTrial) -> String {
    format!("sealed/truth-{:03}.json", trial.number)
}

pub(crate) fn trial_folder(trial: &SealedTrial) -> String {
    format!("trials/{:03}", trial.number)
}

impl ChallengeFolder {
    /// Makes the folder with a list that has just been drawn. The folder appears complete or not at all.
    ///
    /// # Errors
    /// If the folder exists already or cannot be written.
    pub(crate) fn create(path: &Path, list: &SealedList) -> Result<()> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        let complete = tempfile::Builder::new()
            .prefix(".unfinished-")
            .tempdir_in(parent)
            .with_context(|| format!("cannot make a folder in {}", parent.display()))?;
        for folder in ["sealed", "trials"] {
            fs::create_dir(complete.path().join(folder))?;
        }
        dataset::write_json(&complete.path().join(LIST), list)?;
        let hash = dataset::sha256(&complete.path().join(LIST))?;
        dataset::write_file(&complete.path().join(SEAL), line(&hash, LIST).as_bytes())?;
        dataset::write_file(&complete.path().join(FILES), b"")?;
        fs::rename(complete.keep(), path).with_context(|| format!("cannot make the folder {}", path.display()))
    }

    /// Opens the folder and checks that the list is the sealed one.
    ///
    /// # Errors
    /// If the folder is no challenge's, or the list is not the one whose hash was written before the first trial.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let read = |name: &str| {
            let file = path.join(name);
            fs::read(&file).with_context(|| {
                format!(
                    "cannot read {}; expected the folder of a challenge, which `cargo xtask challenge` made",
                    file.display()
                )
            })
        };
        let sealed = hashes(&read(SEAL)?, SEAL)?;
        let expected = sealed
            .get(LIST)
            .with_context(|| format!("{SEAL}: no hash of {LIST}; expected one line `HASH  {LIST}`"))?;
        let bytes = read(LIST)?;
        let list_sha256 = dataset::sha256_of(&bytes);
        ensure!(
            list_sha256 == *expected,
            "{LIST} has the SHA-256 {list_sha256}, but {SEAL} says {expected}: the list was changed after it was sealed, so \
             that the trials prove nothing; begin a new challenge"
        );
        let list = SealedList::parse(&bytes).with_context(|| format!("{LIST} is no sealed list"))?;
        Ok(Self {
            files: hashes(&read(FILES)?, FILES)?,
            path: path.to_owned(),
            list,
            list_sha256,
        })
    }

    /// Returns whether the files of a trial were recorded.
    pub(crate) fn is_finished(&self, trial: &SealedTrial) -> bool {
        self.files.contains_key(&answer_file(trial))
    }

    /// Records the files of a trial. From then on the trial is finished.
    ///
    /// # Errors
    /// If a file cannot be read, or the list of hashes cannot be written.
    pub(crate) fn finish(&mut self, trial: &SealedTrial) -> Result<()> {
        let peers = trial.with_peers.then(|| peers_file(trial));
        let names = [answer_file(trial), manifest_file(trial), truth_file(trial)];
        for name in names.into_iter().chain(peers) {
            let hash = dataset::sha256(&self.path.join(&name))?;
            self.files.insert(name, hash);
        }
        let text: String = self.files.iter().map(|(name, hash)| line(hash, name)).collect();
        Ok(dataset::write_file(&self.path.join(FILES), text.as_bytes())?)
    }

    /// Returns the trials that are not finished.
    pub(crate) fn missing(&self) -> Vec<SealedTrial> {
        let missing = self.list.trials.iter().filter(|trial| !self.is_finished(trial));
        missing.copied().collect()
    }

    /// Reads a JSON file that a finished trial recorded.
    ///
    /// # Errors
    /// If the file is missing, was changed since then, or has another form.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let bytes = self.checked(name)?;
        serde_json::from_slice(&bytes).with_context(|| format!("{name} has another form; it is of another version"))
    }

    /// Returns the bytes of a file that a finished trial recorded.
    ///
    /// # Errors
    /// If the file is missing, or was changed since then.
    pub(crate) fn checked(&self, name: &str) -> Result<Vec<u8>> {
        let expected = self
            .files
            .get(name)
            .with_context(|| format!("{FILES} has no hash of {name}; the trial is not finished"))?;
        let file = self.path.join(name);
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let found = dataset::sha256_of(&bytes);
        ensure!(
            found == *expected,
            "{name} has the SHA-256 {found}, but {FILES} says {expected}: the file was changed after the trial; restore it, or \
             begin a new challenge"
        );
        Ok(bytes)
    }
}

fn line(hash: &str, name: &str) -> String {
    format!("{hash}  {name}\n")
}

/// Parses a list of hashes.
fn hashes(bytes: &[u8], file: &str) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    for (number, line) in String::from_utf8_lossy(bytes).lines().enumerate() {
        let Some((hash, name)) = line.split_once("  ").filter(|(hash, _)| hash.len() == 64) else {
            bail!("{file}, line {}: {line:?}; expected `SHA-256  FILE`", number + 1);
        };
        hashes.insert(name.to_owned(), hash.to_owned());
    }
    Ok(hashes)
}
