//! The archive, unpacked elsewhere, builds without a network or a crate from anywhere else, and its report is ours byte for
//! byte.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::archive::{self, copy, files};
use crate::paths;
use crate::programs::{Program, cargo};

/// Packs, unpacks, builds, analyses the run, compares.
///
/// # Errors
/// When one of these fails or a byte differs.
pub(super) fn reproduces(run: &Path) -> Result<()> {
    let folder = tempfile::tempdir().context("making a folder to unpack in")?;
    let packed = folder.path().join("archive.tar.gz");
    archive::create(&packed)?;
    let there = folder.path().join("hook-latency");
    Program::new("tar")
        .args(["--extract", "--file"])
        .arg(&packed)
        .arg("--directory")
        .arg(folder.path())
        .run()?;
    let unpacked = Program::new("sha256sum")
        .args(["--check", "--quiet", "SHA256SUMS"])
        .expression();
    ensure!(
        unpacked.dir(&there).unchecked().run()?.status.success(),
        "a checksum of the archive is wrong"
    );

    let target = folder.path().join("target");
    let build = cargo()
        // Nothing that was fetched before is to be found.
        .env("CARGO_HOME", folder.path().join("cargo"))
        .env("CARGO_TARGET_DIR", &target)
        .args(["build", "--offline", "--locked", "--release", "--package", "report"]);
    eprintln!("$ {}", build.shown());
    let output = build.expression().dir(&there).unchecked().run()?;
    build.succeeded(output.status)?;

    let here = folder.path().join("here");
    if paths::study_is_there() {
        copy(Path::new(paths::STUDY), &here.join(paths::STUDY))?;
    }
    let ours = report(&std::path::absolute(paths::binary("report"))?, run, &here)?;
    let theirs = report(&target.join("release/report"), run, &there)?;
    same(&ours, &theirs)
}

/// The report of a run, made in `root`, where all paths are relative.
fn report(program: &Path, run: &Path, root: &Path) -> Result<PathBuf> {
    copy(run, &root.join("data/runs/archived"))?;
    let report = Program::new(program).args([
        "html",
        "--run",
        "data/runs/archived",
        "--study",
        paths::STUDY,
        "--out",
        "data/reports/archived",
    ]);
    let output = report.expression().dir(root).stdout_to_stderr().unchecked().run()?;
    report.succeeded(output.status)?;
    Ok(root.join("data/reports/archived"))
}

fn same(ours: &Path, theirs: &Path) -> Result<()> {
    let (one, other) = (files(ours)?, files(theirs)?);
    ensure!(
        !one.is_empty() && one.len() == other.len(),
        "{} files here, {} there",
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
