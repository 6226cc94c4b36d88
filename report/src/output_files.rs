//! Output files. A file is written under a temporary name and renamed, so that a reader never sees a part of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Writes `bytes` to `directory/name` and returns the path.
///
/// # Errors
/// When the folder cannot be made or the file not be written; no partial file remains.
pub fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
    }
    dataset::write_file(&path, bytes).context("free space on the disk or choose another --out")?;
    Ok(path)
}
