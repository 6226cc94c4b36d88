//! `cargo xtask claims`: the study's recommendations, held against all runs that there are.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::analyze::Format;
use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder of a run, or of runs; may be given several times [default: data/reference and data/runs]
    #[arg(long = "run", value_parser = paths::from_here)]
    runs: Vec<PathBuf>,
    /// How to print
    #[arg(long, default_value = "text")]
    format: Format,
    /// Also keep what the claims were held against, in this file
    #[arg(long, value_parser = paths::from_here)]
    keep: Option<PathBuf>,
}

/// Prints recommendations, claims and verdicts.
///
/// # Errors
/// When a run cannot be read.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    build::binaries()?;
    held(&arguments.runs, arguments.format, arguments.keep.as_deref())
}

/// Prints them for a terminal; `report` must have been built.
///
/// # Errors
/// When a run cannot be read.
pub(crate) fn print(runs: &[PathBuf]) -> Result<()> {
    held(runs, Format::Text, None)
}

fn held(given: &[PathBuf], format: Format, keep: Option<&Path>) -> Result<()> {
    let mut report = Program::new(paths::binary("report")).args(["claims", "--study", paths::STUDY]);
    let found = [paths::REFERENCE, paths::RUNS].map(PathBuf::from);
    let runs = if given.is_empty() { &found[..] } else { given };
    for run in runs.iter().filter(|run| !given.is_empty() || Path::new(run).is_dir()) {
        report = report.arg("--run").arg(run);
    }
    if let Some(keep) = keep {
        report = report.arg("--keep").arg(keep);
    }
    report.args(["--format", format.name()]).run()
}
