//! A run's folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::manifest::{FileRecord, MANIFEST_VERSION, Manifest};
use crate::ro_crate::{RO_CRATE, ro_crate};

/// A recorded run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its folder.
    pub directory: PathBuf,
    /// What `manifest.json` says.
    pub manifest: Manifest,
}

impl Run {
    /// Opens a run and checks that its manifest is of this version and its files are there in full length.
    ///
    /// # Errors
    /// When they are not.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("manifest.json");
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let json = |source| Error::Json {
            path: path.clone(),
            source,
        };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(json)?;
        let version = &value["schema_version"];
        if version.as_u64() != Some(MANIFEST_VERSION.into()) {
            return Err(Error::foreign(
                &path,
                format!("schema_version {version}"),
                format!(
                    "schema_version {MANIFEST_VERSION}; import or measure again, or read it with the tools that wrote it"
                ),
            ));
        }
        // From the text and not from the value, so that an error has its line.
        let manifest: Manifest = serde_json::from_str(&text).map_err(json)?;
        for file in &manifest.files {
            let path = directory.join(&file.path);
            let bytes = fs::metadata(&path).map_err(Error::io("read", &path))?.len();
            if bytes != file.bytes {
                return Err(Error::foreign(
                    &path,
                    format!("{bytes} bytes"),
                    format!("{} bytes", file.bytes),
                ));
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            manifest,
        })
    }

    /// Compares every file with its checksum.
    ///
    /// # Errors
    /// On the first file that is not the recorded one.
    pub fn verify(&self) -> Result<(), Error> {
        for file in &self.manifest.files {
            let path = self.directory.join(&file.path);
            let found = sha256(&path)?;
            if found != file.sha256 {
                return Err(Error::Checksum {
                    path,
                    expected: file.sha256.clone(),
                    found,
                });
            }
        }
        Ok(())
    }
}

/// Writes `manifest.json` of a run, and before it, since it says that the run is finished, its RO-Crate.
///
/// # Errors
/// When the disk is full.
pub fn write_manifest(directory: &Path, manifest: &Manifest) -> Result<(), Error> {
    write_json(&directory.join(RO_CRATE), &ro_crate(manifest))?;
    write_json(&directory.join("manifest.json"), manifest)
}

/// Writes any JSON under a temporary name and renames it.
///
/// # Errors
/// When the disk is full; nothing half-written stays.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value).map_err(|source| Error::Json {
        path: path.to_owned(),
        source,
    })?;
    text.push('\n');
    write_file(path, text.as_bytes())
}

/// Writes a file under a temporary name, through to the disk, and renames it.
///
/// # Errors
/// When the disk is full; nothing half-written stays.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = path.with_added_extension("tmp");
    let written = File::create(&temporary)
        .and_then(|mut file| {
            io::Write::write_all(&mut file, bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // The first error is the one to report.
        _ = fs::remove_file(&temporary);
        Error::io("write", path)(error)
    })
}

/// Length and checksum of `directory/name`.
///
/// # Errors
/// When it cannot be read.
pub fn file_record(directory: &Path, name: &str) -> Result<FileRecord, Error> {
    let path = directory.join(name);
    let bytes = fs::metadata(&path).map_err(Error::io("read", &path))?.len();
    Ok(FileRecord {
        path: name.to_owned(),
        bytes,
        sha256: sha256(&path)?,
    })
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub fn sha256(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer).map_err(Error::io("read", path))?;
        if length == 0 {
            return Ok(hexadecimal(&digest.finalize()));
        }
        digest.update(&buffer[..length]);
    }
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
