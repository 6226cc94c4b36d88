//! `cargo xtask report`: writes the HTML report of a run.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths, runs};

#[derive(clap::Args)]
pub(crate) struct ReportCommand {
    /// Folder of the run [default: the latest finished one]
    #[arg(long, value_parser = paths::from_here)]
    run: Option<PathBuf>,
    /// Folder to write to [default: the run's folder in data/reports]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
}

/// Builds `report` and writes the report.
///
/// # Errors
/// When no run is finished, or `report` fails.
pub(crate) fn run(arguments: &ReportCommand) -> Result<()> {
    build::binaries()?;
    let run = runs::chosen(arguments.run.as_deref())?;
    let out = arguments.out.clone().unwrap_or_else(|| runs::report_of(&run));
    page(&run, &out).map(drop)
}

/// Writes the report of a run, or the exhibit of a grid, and returns the path to open; `report` is built already.
///
/// # Errors
/// When `report` fails.
pub(crate) fn page(run: &Path, out: &Path) -> Result<PathBuf> {
    if runs::is_grid(run) {
        exhibit(run, out)?;
        return Ok(out.to_owned());
    }
    write("html", run, out)?;
    Ok(out.join("index.html"))
}

/// Calls `report WHAT` for a run, beside the 2023 study where it is imported; `report` is built already.
///
/// # Errors
/// When `report` fails.
pub(crate) fn write(what: &str, run: &Path, out: &Path) -> Result<()> {
    Program::new(paths::binary("report"))
        .args([what, "--run"])
        .arg(run)
        .args(["--study", paths::STUDY, "--out"])
        .arg(out)
        .run()
}

/// Prints the table and draws the figure of a recommendation; `report` is built already.
///
/// # Errors
/// When `report` fails.
pub(crate) fn exhibit(run: &Path, out: &Path) -> Result<()> {
    Program::new(paths::binary("report"))
        .args(["exhibit", "--run"])
        .arg(run)
        .arg("--out")
        .arg(out)
        .run()
}
