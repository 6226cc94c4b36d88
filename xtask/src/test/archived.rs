//! The archive, unpacked in another folder, needs no network and gives the same report.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::archive::{self, copy, files};
use crate::programs::{Program, cargo};
use crate::{build, paths};

/// The recorded run whose report is compared.
const RUN: &str = "data/reference/before-plan/overhead";

/// Packs, unpacks, holds every file against its checksum, and compiles `report` from the archive's own crates without code
/// generation. [`reproduces`] generates the code, too.
///
/// # Errors
/// When a step fails.
pub(super) fn compiles() -> Result<()> {
    let folder = tempfile::tempdir().context("making a folder to unpack in")?;
    let there = unpacked(folder.path())?;
    cargo_offline(folder.path(), &there, &["check"])
}

/// Packs, unpacks and builds `report`, and compares the report of a recorded run with ours byte for byte.
///
/// # Errors
/// When a step fails or a byte differs.
pub(super) fn reproduces() -> Result<()> {
    build::binaries()?;
    let folder = tempfile::tempdir().context("making a folder to unpack in")?;
    let there = unpacked(folder.path())?;
    cargo_offline(folder.path(), &there, &["build", "--release"])?;
    let here = folder.path().join("here");
    copy(Path::new(RUN), &here.join(RUN))?;
    if paths::study_is_there() {
        copy(Path::new(paths::STUDY), &here.join(paths::STUDY))?;
    }
    let ours = report(&std::path::absolute(paths::binary("report"))?, &here)?;
    let theirs = report(&folder.path().join("target/release/report"), &there)?;
    same(&ours, &theirs)
}

/// Packs the archive, unpacks it below `folder`, checks all checksums, and returns the project's folder in it.
fn unpacked(folder: &Path) -> Result<PathBuf> {
    let packed = folder.join("archive.tar.gz");
    archive::create(&packed)?;
    Program::new("tar")
        .args(["--extract", "--file"])
        .arg(&packed)
        .arg("--directory")
        .arg(folder)
        .run()?;
    let there = folder.join("hook-latency");
    let checked = Program::new("sha256sum")
        .args(["--check", "--quiet", "SHA256SUMS"])
        .expression();
    ensure!(
        checked.dir(&there).unchecked().run()?.status.success(),
        "a file of the archive does not have its checksum; the message stands above"
    );
    Ok(there)
}

/// Runs cargo for `report` in the unpacked archive with an empty CARGO_HOME, so that only vendored crates are found.
fn cargo_offline(folder: &Path, there: &Path, verb: &[&str]) -> Result<()> {
    let build = cargo()
        .env("CARGO_HOME", folder.join("cargo"))
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .args(verb)
        .args(["--offline", "--locked", "--package", "report"]);
    eprintln!("$ {}", build.shown());
    let output = build.expression().dir(there).unchecked().run()?;
    build.succeeded(output.status)
}

/// Makes the report of the recorded run in `root`, in which all paths are relative, and returns its folder.
fn report(program: &Path, root: &Path) -> Result<PathBuf> {
    let out = "data/reports/archived";
    let report = Program::new(program).args(["html", "--run", RUN, "--study", paths::STUDY, "--out", out]);
    let output = report.expression().dir(root).stdout_to_stderr().unchecked().run()?;
    report.succeeded(output.status)?;
    Ok(root.join(out))
}

fn same(ours: &Path, theirs: &Path) -> Result<()> {
    let (one, other) = (files(ours)?, files(theirs)?);
    ensure!(
        !one.is_empty() && one.len() == other.len(),
        "our report has {} files, the archive's has {}",
        one.len(),
        other.len()
    );
    for (one, other) in one.iter().zip(&other) {
        ensure!(
            one.strip_prefix(ours)? == other.strip_prefix(theirs)? && std::fs::read(one)? == std::fs::read(other)?,
            "{} and {} differ",
            one.display(),
            other.display()
        );
    }
    Ok(())
}
