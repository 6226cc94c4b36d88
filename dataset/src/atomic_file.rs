//! Files that get their name when their content is complete.

use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Serialize;
use tempfile::{Builder, NamedTempFile};

use crate::error::Error;

/// Makes a file without its final name in the folder of `path`. It is removed when it is dropped before [`persist`].
pub(crate) fn begin(path: &Path) -> Result<NamedTempFile, Error> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    Builder::new()
        .prefix(".unfinished-")
        // As any other new file: the process's mask takes permissions away.
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(Error::io("create", path))
}

/// Writes a file through to the disk and gives it its name.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> Result<(), Error> {
    let persisted = file
        .as_file()
        .sync_all()
        .and_then(|()| file.persist(path).map_err(io::Error::from));
    persisted.map(drop).map_err(Error::io("write", path))
}

/// Writes a value as JSON with a newline at its end.
///
/// # Errors
/// When the file cannot be written. No part of it stays.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value).map_err(|source| Error::Json {
        path: path.to_owned(),
        source,
    })?;
    text.push('\n');
    write_file(path, text.as_bytes())
}

/// Writes a file.
///
/// # Errors
/// When the file cannot be written. No part of it stays.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = begin(path)?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    persist(file, path)
}
