//! `cargo xtask calibrate`: what the instrument recovers of known delays, and how often its intervals hold, by the
//! interleaved and by the sequential design.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::programs::Program;
use crate::reproduce::Profile;
use crate::run::{self, Options};
use crate::{build, paths};

/// Launches of one repetition of the coverage experiment.
const REPETITION: u32 = 10;
const DESIGNS: [&str; 2] = ["interleaved", "sequential"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How much: smoke a minute, default seven minutes (20 repetitions), paper half an hour (200)
    #[arg(long, default_value = "default")]
    profile: Profile,
    /// Folder for tables and figures
    #[arg(long, default_value = "data/reports/calibration", value_parser = paths::from_here)]
    out: PathBuf,
}

/// Measures and reports.
///
/// # Errors
/// When a step fails. Runs that were finished are kept, and the same command goes on.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    build::run()?;
    let (launches, rounds, repetitions) = match arguments.profile {
        Profile::Smoke => (Some(2), Some(500), 2),
        Profile::Default => (None, None, 20),
        Profile::Paper => (Some(120), None, 200),
    };
    let mut report = Program::new(paths::binary("report"))
        .args(["calibration", "--repetition"])
        .arg(REPETITION.to_string());
    for design in DESIGNS {
        for (experiment, launches, rounds) in [
            ("experiments/calibration.toml", launches, rounds),
            ("experiments/coverage.toml", Some(repetitions * REPETITION), None),
        ] {
            let options = Options {
                launches,
                rounds,
                schedule: Some(design.to_owned()),
                ..Options::default()
            };
            let experiment = Path::new(experiment);
            let folder = run::folder(
                experiment,
                &format!("{}-{design}", run::title(experiment)),
                &options,
                paths::RUNS.as_ref(),
            )?;
            run::measure(experiment, &options, &folder)?;
            report = report.arg("--run").arg(folder);
        }
    }
    report.arg("--out").arg(&arguments.out).run()
}
