//! Where things are. Every verb runs in the project's folder, so that most paths are relative to it.

use std::path::{Path, PathBuf};

/// The imported 2023 study.
pub(crate) const STUDY: &str = "data/ssp2023";

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = PathBuf::from(manifest);
    manifest.parent().map_or(manifest.clone(), Path::to_path_buf)
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// One of our binaries, built by `cargo xtask build`.
pub(crate) fn binary(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// For clap: a path given on the command line is meant from where the user stands, not from the project's folder.
///
/// # Errors
/// When the current folder cannot be told, or the path is empty.
pub(crate) fn from_here(text: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(text)
}
