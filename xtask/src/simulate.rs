//! `cargo xtask simulate`: how often intervals hold under noise as it was recorded, with experiments whose truth is known.

use std::path::PathBuf;

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Experiments of each scenario
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    experiments: u32,
    /// Fit the noise anew, to the imported study, the coverage experiment and this run of it, before
    #[arg(long, value_parser = paths::from_here)]
    fit: Option<PathBuf>,
    /// Folder to write simulation.json to
    #[arg(long, default_value = "data/reports/simulation", value_parser = paths::from_here)]
    out: PathBuf,
}

/// Simulates.
///
/// # Errors
/// When the build or a step fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    build::binaries()?;
    if let Some(run) = &arguments.fit {
        Program::new(paths::binary("report"))
            .args(["fit", "--study", paths::STUDY, "--run"])
            .arg(run)
            .run()?;
        // The noise is a part of the program.
        build::binaries()?;
    }
    Program::new(paths::binary("report"))
        .args(["simulate", "--experiments"])
        .arg(arguments.experiments.to_string())
        .arg("--out")
        .arg(&arguments.out)
        .run()
}
