//! `cargo xtask cluster`: a condition brought up and taken down by hand, and what is there.

use std::ffi::OsString;

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Subcommand)]
pub(crate) enum Arguments {
    /// See that a condition can be had, and prepare it; kind and eks are created, and what that costs is asked before
    Up(Options),
    /// List everything that was made there and is still there
    Status(Options),
    /// Remove everything that was made there, also what a killed run could not remove
    Down(Options),
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// kind or eks, which are created and deleted; or a condition whose engine is there, as docker, kubernetes-pod
    #[arg(default_value = "docker")]
    condition: OsString,
    /// Options of `cluster` (as --yes) for kind and eks, of `bench cluster` (as --docker-host, --context) for others
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Hands the words to the binary that knows the place: `cluster` makes clusters, the runner knows engines.
///
/// # Errors
/// When the build or the binary fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let (verb, options) = match arguments {
        Arguments::Up(options) => ("up", options),
        Arguments::Status(options) => ("status", options),
        Arguments::Down(options) => ("down", options),
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

/// The binary `cluster`, built.
///
/// # Errors
/// When the build fails.
pub(crate) fn program() -> Result<Program> {
    build::clusters()?;
    Ok(Program::new(paths::binary("cluster")))
}
