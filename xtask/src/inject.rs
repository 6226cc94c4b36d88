//! `cargo xtask inject`: adds the hook to a Kubernetes workload, or removes it.

use std::ffi::OsString;

use anyhow::Result;

use crate::cluster;

#[derive(clap::Args)]
pub(crate) struct InjectCommand {
    /// deployment/NAME and options; `inject --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    words: Vec<OsString>,
}

/// Calls the binary `cluster`.
///
/// # Errors
/// When the build or the binary fails.
pub(crate) fn run(arguments: &InjectCommand) -> Result<()> {
    cluster::program()?
        .arg("inject")
        .args(arguments.words.iter().cloned())
        .run()
}
