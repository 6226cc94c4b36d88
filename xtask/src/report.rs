//! `cargo xtask report`: a run's HTML report.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths, runs};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the run [default: the latest finished one]
    #[arg(long, value_parser = paths::from_here)]
    run: Option<PathBuf>,
    /// Folder to write to [default: the run's folder in data/reports]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
}

/// Writes the report.
///
/// # Errors
/// When there is no run, or `report` fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    build::binaries()?;
    let run = runs::chosen(arguments.run.as_deref())?;
    let out = arguments.out.clone().unwrap_or_else(|| runs::report_of(&run));
    page(&run, &out).map(drop)
}

/// Has the built `report` write what a reader looks at, and says where that is: of a grid, what its recommendation shows.
///
/// # Errors
/// When it fails.
pub(crate) fn page(run: &Path, out: &Path) -> Result<PathBuf> {
    if runs::is_grid(run) {
        exhibit(run, out)?;
        return Ok(out.to_owned());
    }
    write("html", run, out)?;
    Ok(out.join("index.html"))
}

/// Has the built `report` write `what` of a run, beside the 2023 study where that was imported.
///
/// # Errors
/// When it fails.
pub(crate) fn write(what: &str, run: &Path, out: &Path) -> Result<()> {
    Program::new(paths::binary("report"))
        .args([what, "--run"])
        .arg(run)
        .args(["--study", paths::STUDY, "--out"])
        .arg(out)
        .run()
}

/// Has the built `report` print and draw what is shown for a recommendation.
///
/// # Errors
/// When it fails.
pub(crate) fn exhibit(run: &Path, out: &Path) -> Result<()> {
    Program::new(paths::binary("report"))
        .args(["exhibit", "--run"])
        .arg(run)
        .arg("--out")
        .arg(out)
        .run()
}
