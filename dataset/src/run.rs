//! A run's folder.

use std::fs;
use std::path::{Path, PathBuf};

use model::{MANIFEST_FILE, MANIFEST_VERSION, Manifest};

use crate::atomic_file::write_json;
use crate::before_plan;
use crate::checksum::sha256;
use crate::error::Error;
use crate::file_version::FileVersion;
use crate::ro_crate::{RO_CRATE, ro_crate};

/// A recorded run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder of the run.
    pub directory: PathBuf,
    /// The content of the run's manifest.
    pub manifest: Manifest,
}

impl Run {
    /// Opens a run. Checks the manifest's version and the lengths of the run's files.
    ///
    /// # Errors
    /// When the manifest has another version or an unknown field, or a file is missing or has another length.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(MANIFEST_FILE);
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let json = |source| Error::Json {
            path: path.clone(),
            source,
        };
        let FileVersion { schema_version } = serde_json::from_str(&text).map_err(json)?;
        let manifest = match schema_version {
            MANIFEST_VERSION => serde_json::from_str(&text).map_err(json)?,
            before_plan::MANIFEST_VERSION => before_plan::parse_manifest(&text).map_err(json)?,
            other => {
                return Err(Error::foreign(
                    &path,
                    format!("schema_version {other}"),
                    format!(
                        "schema_version {MANIFEST_VERSION}; import or measure again, or read it with the tools that wrote it"
                    ),
                ));
            }
        };
        let run = Self {
            directory: directory.to_owned(),
            manifest,
        };
        for file in &run.manifest.files {
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
        Ok(run)
    }

    /// Compares every file with its checksum.
    ///
    /// # Errors
    /// When a file differs from its recorded content; the error names the first such file.
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

/// Writes the RO-Crate and the manifest of a run. The manifest is written last, because its presence marks the run as
/// finished.
///
/// # Errors
/// When a file cannot be written.
pub fn write_manifest(directory: &Path, manifest: &Manifest) -> Result<(), Error> {
    write_json(&directory.join(RO_CRATE), &ro_crate(manifest))?;
    write_json(&directory.join(MANIFEST_FILE), manifest)
}
