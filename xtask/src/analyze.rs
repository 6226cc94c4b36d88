//! `cargo xtask analyze`: from recorded data to numbers.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::programs::Program;
use crate::{build, paths, runs};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the run [default: the latest finished one]
    #[arg(long, value_parser = paths::from_here)]
    run: Option<PathBuf>,
    /// The 2023 study instead of a run
    #[arg(long, conflicts_with = "run")]
    study: bool,
    /// How to print
    #[arg(long, default_value = "text")]
    format: Format,
}

/// How a verb prints a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

impl Format {
    /// As `report` is told.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Prints.
///
/// # Errors
/// When there is nothing to analyse, or `report` fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    build::binaries()?;
    let format = arguments.format.name();
    let report = Program::new(paths::binary("report"));
    if arguments.study {
        if !paths::study_is_there() {
            bail!(
                "{} is not there; bring it in by `cargo xtask import ssp2023`",
                paths::STUDY
            );
        }
        return report
            .args(["study", "--study", paths::STUDY, "--format", format])
            .run();
    }
    report
        .args(["effects", "--run"])
        .arg(runs::chosen(arguments.run.as_deref())?)
        .args(["--format", format])
        .run()
}
