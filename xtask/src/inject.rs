//! `cargo xtask inject`: the hook in any Kubernetes workload.

use std::ffi::OsString;

use anyhow::Result;

use crate::cluster;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// deployment/NAME and options; `inject --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    words: Vec<OsString>,
}

/// Hands the words to the binary `cluster`.
///
/// # Errors
/// When the build or the binary fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    cluster::program()?
        .arg("inject")
        .args(arguments.words.iter().cloned())
        .run()
}
