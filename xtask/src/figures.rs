//! `cargo xtask figures`: a run's figures as SVG and PNG.

use std::path::PathBuf;

use anyhow::Result;

use crate::{build, paths, report, runs};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The figure of a recommendation, r01 to r10: of the latest run of its experiment, or else of the recorded one
    #[arg(conflicts_with = "run")]
    recommendation: Option<String>,
    /// Folder of the run [default: the latest finished one]
    #[arg(long, value_parser = paths::from_here)]
    run: Option<PathBuf>,
    /// Folder to write to [default: the run's folder in data/reports]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
}

/// Draws.
///
/// # Errors
/// When there is no run, or `report` fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
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
