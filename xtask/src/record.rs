//! `cargo xtask record`: records the registered plan on this machine.

use std::path::PathBuf;

use anyhow::Result;

use crate::container_options::ContainerOptions;
use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Args)]
pub(crate) struct RecordCommand {
    /// Run one launch of each cell and condition in a temporary folder, print how long the plan takes on this machine, and
    /// record nothing; fails if the plan is above its budget
    #[arg(long)]
    dry_run: bool,
    /// Copy hashes, lengths and levels of the definitions into the plan; recordings by the old plan become exploratory
    #[arg(long, conflicts_with = "dry_run")]
    refresh: bool,
    /// Record this run alone; may be given several times
    #[arg(long, conflicts_with = "refresh")]
    only: Vec<String>,
    /// Another plan, a file of the repository; its recordings have its hash [default: experiments/plan.toml]
    #[arg(long)]
    plan: Option<PathBuf>,
    #[command(flatten)]
    containers: ContainerOptions,
}

/// Builds the programs and records.
///
/// # Errors
/// When the build fails, or the runner refuses to record.
pub(crate) fn run(arguments: &RecordCommand) -> Result<()> {
    build::run()?;
    let runner = Program::new(paths::binary("runner"))
        .arg("record")
        .options("--plan", &arguments.plan)
        .options("--only", &arguments.only)
        .options("--hook", [paths::hook()]);
    arguments
        .containers
        .given(runner)
        .flag("--dry-run", arguments.dry_run)
        .flag("--refresh", arguments.refresh)
        .run()
}
