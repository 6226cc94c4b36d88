//! `cargo xtask cluster`: a condition brought up and taken down by hand, and what is there.

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Subcommand)]
pub(crate) enum Arguments {
    /// See that a condition can be had, and prepare it
    Up(Options),
    /// List everything that runs have made there and is still there
    Status(Options),
    /// Remove everything that runs have made there, also what a killed one could not remove
    Down(Options),
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The condition
    #[arg(default_value = "docker")]
    condition: String,
    /// Docker's or Podman's socket, as unix:///run/podman/podman.sock [default: DOCKER_HOST, or the one that is there]
    #[arg(long)]
    docker_host: Option<String>,
}

/// Has the runner do it.
///
/// # Errors
/// When the build or the runner fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let (verb, options) = match arguments {
        Arguments::Up(options) => ("up", options),
        Arguments::Status(options) => ("status", options),
        Arguments::Down(options) => ("down", options),
    };
    if verb == "up" || !paths::binary("bench").is_file() {
        build::run()?;
    }
    let program = Program::new(paths::binary("bench")).args(["cluster", verb, &options.condition]);
    match &options.docker_host {
        Some(host) => program.args(["--docker-host", host]).run(),
        None => program.run(),
    }
}
