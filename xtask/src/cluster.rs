//! `cargo xtask cluster`: a place brought up and taken down by hand.

use std::ffi::OsString;

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// up, down or status; kind, eks, docker, kubernetes-pod; and options, listed by `up kind --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    words: Vec<OsString>,
}

/// Hands the words to the binary that knows the place: `cluster` makes clusters, `bench` looks after engines that are
/// there already.
///
/// # Errors
/// When the build or the binary fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let engine = arguments
        .words
        .iter()
        .any(|word| word == "docker" || word.to_string_lossy().starts_with("kubernetes-"));
    let program = if engine {
        build::run()?;
        Program::new(paths::binary("bench")).arg("cluster")
    } else {
        program()?
    };
    program.args(arguments.words.iter().cloned()).run()
}

/// The binary `cluster`, built.
///
/// # Errors
/// When the build fails.
pub(crate) fn program() -> Result<Program> {
    build::clusters()?;
    Ok(Program::new(paths::binary("cluster")))
}
