//! `cargo xtask cluster`: a place brought up and taken down by hand.

use std::ffi::OsString;

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// up, down or status, which cluster, and options; `cluster --help` and `cluster up --help` list them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    words: Vec<OsString>,
}

/// Hands the words to the binary `cluster`.
///
/// # Errors
/// When the build or the binary fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    program()?.args(arguments.words.iter().cloned()).run()
}

/// The binary `cluster`, built.
///
/// # Errors
/// When the build fails.
pub(crate) fn program() -> Result<Program> {
    build::clusters()?;
    Ok(Program::new(paths::binary("cluster")))
}
