//! `cargo xtask import`: converts foreign recordings to the project's format.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::programs::{Program, find};
use crate::{build, paths};

/// The study's public repository.
const REPOSITORY: &str = "https://github.com/dynatrace-research/function-hook-latency-benchmarking";
/// The environment variable that names a folder with the study. If it is set, the study is not fetched. The nix shell
/// sets it.
pub(crate) const FOLDER_VARIABLE: &str = "SSP2023";
/// The commit of the study's repository; the import verifies its files by SHA-256.
const COMMIT: &str = "c6b91d83e6f7da570dc218fd9e73755ac84e1b91";

#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    /// Import the eight recordings and the keywords of the 2023 study, verified by SHA-256, to data/ssp2023
    Ssp2023 {
        /// Folder with the eight CSV files and words.txt, or a checkout of the study's repository [default: $SSP2023, else fetch it]
        #[arg(long, value_parser = paths::from_here)]
        from: Option<PathBuf>,
    },
}

/// Imports the recordings.
///
/// # Errors
/// When the recordings cannot be fetched or written, or do not have the study's checksums.
pub(crate) fn run(arguments: &ImportCommand) -> Result<()> {
    let ImportCommand::Ssp2023 { from } = arguments;
    build::release(&["dataset"]).run()?;
    match from {
        Some(folder) => convert(folder),
        None => fetch_and_convert(),
    }
}

/// Fetches the study and converts it. The binary `dataset` must be built.
///
/// # Errors
/// When the repository cannot be reached, or its recordings cannot be converted.
pub(crate) fn fetch_and_convert() -> Result<()> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        return convert(Path::new(&folder));
    }
    let folder = tempfile::tempdir().context("making a temporary folder for the study's repository")?;
    fetch(folder.path()).with_context(|| {
        format!(
            "the 2023 study could not be fetched from {REPOSITORY}; \
             where you have a copy of it, run `cargo xtask import ssp2023 --from DIR`"
        )
    })?;
    convert(folder.path())
}

fn convert(from: &Path) -> Result<()> {
    Program::new(paths::binary("dataset"))
        .args(["import", "ssp2023", "--from"])
        .arg(from)
        .args(["--out", paths::STUDY])
        .run()
}

fn fetch(folder: &Path) -> Result<()> {
    if find("git").is_none() {
        bail!("git, which fetches the study, is not installed (Debian: apt-get install git)");
    }
    // git must not ask for a user name, because the study's repository is public.
    let git = || {
        Program::new("git")
            .env("GIT_TERMINAL_PROMPT", "0")
            .arg("-C")
            .arg(folder)
    };
    git().args(["init", "--quiet"]).run()?;
    git()
        .args(["fetch", "--quiet", "--depth", "1", REPOSITORY, COMMIT])
        .run()?;
    git().args(["checkout", "--quiet", "--detach", "FETCH_HEAD"]).run()
}
