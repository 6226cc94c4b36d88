//! `cargo xtask figures`: draws the figures of a run as SVG and PNG.

use std::path::PathBuf;

use anyhow::Result;

use crate::{build, paths, report, runs};

#[derive(clap::Args)]
pub(crate) struct FiguresCommand {
    /// Draw the figure of a recommendation, r01 to r10, of the latest run of its experiment, or else of the recorded run
    #[arg(conflicts_with = "run")]
    recommendation: Option<String>,
    /// Folder of the run [default: the latest finished one]
    #[arg(long, value_parser = paths::from_here)]
    run: Option<PathBuf>,
    /// Folder to write to [default: the run's folder in data/reports]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
}

/// Draws the figures.
///
/// # Errors
/// When no run is finished, or `report` fails.
pub(crate) fn run(arguments: &FiguresCommand) -> Result<()> {
    build::binaries()?;
    let run = match &arguments.recommendation {
        Some(name) => runs::of_experiment(name)?,
        None => runs::chosen(arguments.run.as_deref())?,
    };
    let out = arguments.out.clone().unwrap_or_else(|| runs::report_of(&run));
    if arguments.recommendation.is_some() || runs::is_grid(&run) {
        return report::exhibit(&run, &out);
    }
    report::write("figures", &run, &out)
}
