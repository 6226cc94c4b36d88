//! `cargo xtask analyze`: prints the numbers of a run.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::output::OutputFormat;
use crate::programs::Program;
use crate::{build, paths, runs};

#[derive(clap::Args)]
pub(crate) struct AnalyzeCommand {
    /// Folder of the run [default: the latest finished one]
    #[arg(long, value_parser = paths::from_here)]
    run: Option<PathBuf>,
    /// Analyse the 2023 study instead of a run
    #[arg(long, conflicts_with = "run")]
    study: bool,
    /// Print each flagged launch with its reasons instead of the effects
    #[arg(long, conflicts_with_all = ["study", "format"])]
    flags: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// Prints the effects of a run, or the numbers of the 2023 study.
///
/// # Errors
/// When no run is finished, the study is not imported, or `report` fails.
pub(crate) fn run(arguments: &AnalyzeCommand) -> Result<()> {
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
        .options("--format", (!arguments.flags).then_some(format))
        .flag("--flags", arguments.flags)
        .run()
}
