//! `cargo xtask bench`: side by side with others, in one run.

use anyhow::Result;

use crate::build;
use crate::programs::cargo;

#[derive(clap::Subcommand)]
pub(crate) enum Arguments {
    /// What the hook costs: each call by mode, instructions, and its search beside others
    Hook {
        /// Rounds; in each, everything is measured once
        #[arg(long, default_value_t = 30)]
        rounds: u32,
    },
}

/// Builds what is needed and measures.
///
/// # Errors
/// When the build or the benchmark fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Arguments::Hook { rounds } = arguments;
    build::hook()?;
    cargo()
        .args(["run", "--release", "--package", "hook-bench", "--", "--rounds"])
        .arg(rounds.to_string())
        .run()
}
