//! Checksums of files.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use model::FileRecord;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// Returns length and checksum of `directory/name`.
///
/// # Errors
/// When the file cannot be read.
pub fn file_record(directory: &Path, name: &str) -> Result<FileRecord, Error> {
    let path = directory.join(name);
    let bytes = fs::metadata(&path).map_err(Error::io("read", &path))?.len();
    Ok(FileRecord {
        path: name.to_owned(),
        bytes,
        sha256: sha256(&path)?,
    })
}

/// Returns the SHA-256 of a content, in hexadecimal.
#[must_use]
pub fn sha256_of(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// Returns the SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer).map_err(Error::io("read", path))?;
        if length == 0 {
            return Ok(hex::encode(digest.finalize()));
        }
        digest.update(&buffer[..length]);
    }
}
