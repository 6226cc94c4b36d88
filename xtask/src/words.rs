//! `cargo xtask words`: compiles a list of words for the hook.

use std::path::PathBuf;

use anyhow::Result;

use crate::paths;
use crate::programs::cargo;

#[derive(clap::Args)]
pub(crate) struct WordsCommand {
    /// List with one word a line, 1 to 64 bytes each
    #[arg(value_parser = paths::from_here)]
    list: PathBuf,
    /// File to write [default: the list's name with .words]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
}

/// Compiles the list.
///
/// # Errors
/// When the list is invalid or the file cannot be written.
pub(crate) fn run(arguments: &WordsCommand) -> Result<()> {
    cargo()
        .args(["run", "--quiet", "--release", "--package", "readhook-compile", "--"])
        .arg(&arguments.list)
        .options("--out", &arguments.out)
        .run()
}
