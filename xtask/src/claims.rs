//! `cargo xtask claims`: judges the study's recommendations by all runs on this machine.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::output::OutputFormat;
use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Args)]
pub(crate) struct ClaimsCommand {
    /// Folder of a run, or of runs; may be given several times [default: data/reference and data/runs]
    #[arg(long = "run", value_parser = paths::from_here)]
    runs: Vec<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Also write the quantities by which the claims are judged to this file
    #[arg(long, value_parser = paths::from_here)]
    keep: Option<PathBuf>,
}

/// Builds `report` and prints recommendations, claims and verdicts.
///
/// # Errors
/// When a run cannot be read.
pub(crate) fn run(arguments: &ClaimsCommand) -> Result<()> {
    build::binaries()?;
    judge(&arguments.runs, arguments.format, arguments.keep.as_deref())
}

/// Prints recommendations, claims and verdicts for a terminal; `report` is built already.
///
/// # Errors
/// When a run cannot be read.
pub(crate) fn print(runs: &[PathBuf]) -> Result<()> {
    judge(runs, OutputFormat::Text, None)
}

fn judge(given: &[PathBuf], format: OutputFormat, keep: Option<&Path>) -> Result<()> {
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
