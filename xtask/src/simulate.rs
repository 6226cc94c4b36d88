//! `cargo xtask simulate`: simulates experiments with recorded noise and a known truth, and counts how often intervals contain
//! the truth and how often claims are supported.

use std::path::PathBuf;

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Args)]
pub(crate) struct SimulateCommand {
    /// The subject: intervals of an effect, of a ratio of spreads, total intervals of an effect, or the verdicts of claims
    #[arg(default_value = "effects", value_parser = ["effects", "spreads", "totals", "claims"])]
    subject: String,
    /// Number of experiments in each scenario
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    experiments: u32,
    /// Folder of recorded runs, from whose launches simulated launches are drawn; for claims, the folder of one machine
    #[arg(long, default_value = "data/reference", value_parser = paths::from_here)]
    recorded: PathBuf,
    /// First fit the noise to the imported study and to this run of the coverage experiment
    #[arg(long, value_parser = paths::from_here)]
    fit: Option<PathBuf>,
    /// Folder to write the result to
    #[arg(long, default_value = "data/reports/simulation", value_parser = paths::from_here)]
    out: PathBuf,
}

/// Fits the noise where asked to, and simulates.
///
/// # Errors
/// When the build or a step fails.
pub(crate) fn run(arguments: &SimulateCommand) -> Result<()> {
    build::binaries()?;
    if let Some(run) = &arguments.fit {
        Program::new(paths::binary("report"))
            .args(["fit", "--study", paths::STUDY, "--run"])
            .arg(run)
            .run()?;
        // The noise is compiled into the program.
        build::binaries()?;
    }
    Program::new(paths::binary("report"))
        .args(["simulate", &arguments.subject, "--experiments"])
        .arg(arguments.experiments.to_string())
        .arg("--recorded")
        .arg(&arguments.recorded)
        .arg("--out")
        .arg(&arguments.out)
        .run()
}
