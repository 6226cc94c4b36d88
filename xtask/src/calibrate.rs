//! `cargo xtask calibrate`: measures known delays and the coverage of the intervals, with the interleaved and with the
//! sequential design.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::programs::Program;
use crate::reproduce::Profile;
use crate::run::{self, RunOptions};
use crate::{build, paths};

/// Number of launches in one repetition of the coverage experiment.
const REPETITION: u32 = 10;
const DESIGNS: [&str; 2] = ["interleaved", "sequential"];

#[derive(clap::Args)]
pub(crate) struct CalibrateCommand {
    /// Extent: smoke takes a minute, default seven minutes (20 repetitions), paper half an hour (200)
    #[arg(long, default_value = "default")]
    profile: Profile,
    /// Folder for tables and figures
    #[arg(long, default_value = "data/reports/calibration", value_parser = paths::from_here)]
    out: PathBuf,
}

/// Measures both designs and writes tables and figures.
///
/// # Errors
/// When a step fails. Finished runs are kept, and the same command continues.
pub(crate) fn run(arguments: &CalibrateCommand) -> Result<()> {
    build::run()?;
    let (launches, rounds, repetitions) = match arguments.profile {
        Profile::Smoke => (Some(2), Some(500), 2),
        Profile::Default => (None, None, 20),
        Profile::Paper => (Some(120), None, 200),
    };
    let mut folders = Vec::new();
    for design in DESIGNS {
        for (experiment, launches, rounds) in [
            ("experiments/calibration.toml", launches, rounds),
            ("experiments/coverage.toml", Some(repetitions * REPETITION), None),
        ] {
            let options = RunOptions {
                launches,
                rounds,
                schedule: Some(design.to_owned()),
                ..RunOptions::default()
            };
            let experiment = Path::new(experiment);
            let folder = run::folder(
                experiment,
                &format!("{}-{design}", run::title(experiment)),
                &options,
                paths::RUNS.as_ref(),
            )?;
            run::measure(experiment, &options, &folder)?;
            folders.push(folder);
        }
    }
    Program::new(paths::binary("report"))
        .arg("calibration")
        .options("--repetition", [REPETITION.to_string()])
        .options("--run", folders)
        .options("--out", [&arguments.out])
        .run()
}
