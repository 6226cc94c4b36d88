//! `cargo xtask build`: builds the hook and every binary in release mode.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::paths;
use crate::programs::{Program, cargo};

/// The packages whose binaries the verbs launch.
const PACKAGES: [&str; 8] = [
    "sut",
    "loadgen",
    "agent",
    "dataset",
    "provisioning",
    "runner",
    "report",
    "challenge",
];

/// True if [`binaries`] builds with the profile of the tests.
static TESTED: AtomicBool = AtomicBool::new(false);

/// Makes this process launch the binaries that `cargo test` builds, instead of the binaries in release mode. `cargo
/// xtask test` then compiles every dependency only once.
pub(crate) fn use_tested_binaries() {
    TESTED.store(true, Ordering::Relaxed);
    paths::use_profile_folder("debug");
}

/// Builds the hook and every binary.
///
/// # Errors
/// When cargo fails.
pub(crate) fn run() -> Result<()> {
    hook()?;
    binaries()
}

/// Builds every binary in one command. The features of a dependency depend on the packages that cargo builds together,
/// so a command for one binary alone would compile its dependencies again.
///
/// # Errors
/// When cargo fails.
pub(crate) fn binaries() -> Result<()> {
    if TESTED.load(Ordering::Relaxed) {
        return tests().arg("--no-run").run();
    }
    release(&PACKAGES).run()
}

/// The command that builds the binaries of some packages in release mode.
pub(crate) fn release(packages: &[&str]) -> Program {
    cargo().args(["build", "--release"]).options("--package", packages)
}

/// The command that builds all tests and the binaries that they launch, and runs the tests.
pub(crate) fn tests() -> Program {
    cargo().args(["test", "--workspace"])
}

/// Builds the shared object alone; it has a profile of its own.
///
/// # Errors
/// When cargo fails.
pub(crate) fn hook() -> Result<()> {
    shared_object("readhook")
}

/// Builds the shared object whose copies are sealed for blind trials.
///
/// # Errors
/// When cargo fails.
pub(crate) fn sealed_hook() -> Result<()> {
    shared_object("readhook-sealed")
}

fn shared_object(package: &str) -> Result<()> {
    cargo().args(["build", "--profile", "hook", "--package", package]).run()
}
