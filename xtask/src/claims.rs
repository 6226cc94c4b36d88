//! `cargo xtask claims`: judges the study's recommendations by all runs on this machine.

use std::path::PathBuf;

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
    /// Compute each quantity without each launch (takes minutes), and print a verdict that depends on one launch as inconclusive
    #[arg(long)]
    stability: bool,
    /// Trace the verdicts of one claim to rows, cells, machines, intervals, controls and figures
    #[arg(long, value_name = "CLAIM", conflicts_with = "format")]
    explain: Option<String>,
}

/// Builds `report` and prints recommendations, claims and verdicts.
///
/// # Errors
/// When a run cannot be read.
pub(crate) fn run(arguments: &ClaimsCommand) -> Result<()> {
    build::binaries()?;
    let format = arguments.explain.is_none().then(|| arguments.format.name());
    judge(&arguments.runs)
        .options("--keep", &arguments.keep)
        .options("--explain", &arguments.explain)
        .options("--format", format)
        .flag("--stability", arguments.stability)
        .run()
}

/// Prints recommendations, claims and verdicts for a terminal; `report` is built already.
///
/// # Errors
/// When a run cannot be read.
pub(crate) fn print(runs: &[PathBuf]) -> Result<()> {
    judge(runs).run()
}

/// `report claims` for the given folders, or for the recorded runs and the runs of this clone.
fn judge(given: &[PathBuf]) -> Program {
    let found = [paths::REFERENCE, paths::RUNS].map(PathBuf::from);
    let found: Vec<PathBuf> = found.into_iter().filter(|folder| folder.is_dir()).collect();
    Program::new(paths::binary("report"))
        .args(["claims", "--study", paths::STUDY])
        .options("--run", if given.is_empty() { &found } else { given })
}
