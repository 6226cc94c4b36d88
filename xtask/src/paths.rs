//! Paths of the project. Every verb runs in the project's folder, to which most paths are relative.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

/// The folder of the imported 2023 study.
pub(crate) const STUDY: &str = "data/ssp2023";

/// The folder of the runs that are measured in this clone.
pub(crate) const RUNS: &str = "data/runs";
/// The folder of the recorded runs and numbers.
pub(crate) const REFERENCE: &str = "data/reference";
/// The folder of the challenges that are measured in this clone.
pub(crate) const CHALLENGES: &str = "data/challenges";
/// The folder of the definitions that `plan` writes.
pub(crate) const PLANS: &str = "data/plans";
/// The folder of the reports that are written in this clone.
pub(crate) const REPORTS: &str = "data/reports";

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

/// The folder of the build profile whose binaries are launched.
static PROFILE_FOLDER: OnceLock<&str> = OnceLock::new();

/// Selects the folder of the target folder from which binaries are taken, instead of `release`. Only the first call
/// has an effect.
pub(crate) fn use_profile_folder(name: &'static str) {
    PROFILE_FOLDER.get_or_init(|| name);
}

/// One of our binaries, built by `build::binaries`.
pub(crate) fn binary(name: &str) -> PathBuf {
    let folder = PROFILE_FOLDER.get().copied().unwrap_or("release");
    target().join(folder).join(name)
}

/// The hook, built by `cargo xtask build`.
pub(crate) fn hook() -> PathBuf {
    target().join("hook").join("libreadhook.so")
}

/// The object whose copies are sealed, built by `build::sealed_hook`.
pub(crate) fn sealed_hook() -> PathBuf {
    target().join("hook").join("libreadhook_sealed.so")
}

/// Whether the 2023 study was imported.
pub(crate) fn study_is_there() -> bool {
    Path::new(STUDY).join("manifest.json").is_file()
}

/// The project's folder in the user's cache, which all clones share.
///
/// # Errors
/// When the environment names neither a cache folder nor a home folder.
pub(crate) fn cache() -> Result<PathBuf> {
    let named = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    named("XDG_CACHE_HOME")
        .or_else(|| named("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("hook-latency"))
        .context("neither XDG_CACHE_HOME nor HOME names a folder; set XDG_CACHE_HOME to a writable folder")
}

/// Returns the absolute path for a path on the command line, which is relative to the folder of the call and not to
/// the project's folder.
///
/// # Errors
/// When the current folder cannot be read, or the path is empty.
pub(crate) fn from_here(text: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(text)
}
