//! `cargo xtask cluster`: creates, lists and removes the containers or the cluster of a condition.

use std::ffi::OsString;

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Subcommand)]
pub(crate) enum ClusterCommand {
    /// Check and prepare a condition; kind and eks are created, after a question about the cost
    Up(ClusterOptions),
    /// List everything that this project has created there
    Status(ClusterOptions),
    /// Remove everything that this project has created there, also the remains of a killed run
    Down(ClusterOptions),
}

#[derive(clap::Args)]
pub(crate) struct ClusterOptions {
    /// Condition: kind or eks, whose cluster is created or deleted; or one whose engine runs already, such as docker
    #[arg(default_value = "docker")]
    condition: OsString,
    /// For kind and eks, options of the binary `cluster`, as --yes; for others, of `runner cluster`, as --docker-host, --context
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Calls the binary `cluster` for clusters that it creates, and the runner for engines that run already.
///
/// # Errors
/// When the build or the binary fails.
pub(crate) fn run(arguments: &ClusterCommand) -> Result<()> {
    let (verb, options) = match arguments {
        ClusterCommand::Up(options) => ("up", options),
        ClusterCommand::Status(options) => ("status", options),
        ClusterCommand::Down(options) => ("down", options),
    };
    let program = if options.condition == "kind" || options.condition == "eks" {
        program()?
    } else {
        if verb == "up" || !paths::binary("runner").is_file() {
            build::run()?;
        }
        Program::new(paths::binary("runner")).arg("cluster")
    };
    program
        .arg(verb)
        .arg(&options.condition)
        .args(options.rest.iter().cloned())
        .run()
}

/// Builds the binary `cluster` and returns the command that starts it.
///
/// # Errors
/// When the build fails.
pub(crate) fn program() -> Result<Program> {
    build::release(&["provisioning"]).run_aside()?;
    Ok(Program::new(paths::binary("cluster")))
}
