//! `cargo xtask build`: everything in release mode.

use anyhow::Result;

use crate::programs::cargo;

/// Packages whose binaries the other verbs launch.
const PACKAGES: [&str; 7] = ["sut", "loadgen", "agent", "dataset", "clusters", "runner", "report"];

/// Builds the hook and every binary.
///
/// # Errors
/// When cargo fails.
pub(crate) fn run() -> Result<()> {
    hook()?;
    binaries()
}

/// Builds every binary, always all of them: features are chosen for what is built together, and one alone would be
/// compiled again with all that it depends on.
///
/// # Errors
/// When cargo fails.
pub(crate) fn binaries() -> Result<()> {
    PACKAGES
        .iter()
        .fold(cargo().args(["build", "--release"]), |program, package| {
            program.args(["--package", package])
        })
        .run()
}

/// Builds the binary `cluster` alone.
///
/// # Errors
/// When cargo fails.
pub(crate) fn clusters() -> Result<()> {
    cargo()
        .args(["build", "--release", "--package", "clusters"])
        .run_aside()
}

/// Builds the shared object alone; it has a profile of its own.
///
/// # Errors
/// When cargo fails.
pub(crate) fn hook() -> Result<()> {
    cargo()
        .args(["build", "--profile", "hook", "--package", "readhook"])
        .run()
}
