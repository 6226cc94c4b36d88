//! `cargo xtask observe`: lists the functions by which a server receives, and whether a hook sees the payload.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::output::OutputFormat;
use crate::programs::Program;
use crate::server_options::ServerOptions;
use crate::{build, paths};

/// The folder of the servers' definitions.
const SERVERS: &str = "sut/macro";

#[derive(clap::Args)]
#[command(
    after_help = "A command without {port}, without --port, runs until it ends or until Ctrl-C, and you send the requests."
)]
pub(crate) struct ObserveCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// Builds the programs and observes the server.
///
/// # Errors
/// When the server does not start or does not answer.
pub(crate) fn run(arguments: &ObserveCommand, called_from: &Path) -> Result<()> {
    build::run()?;
    let runner = Program::new(paths::binary("runner"))
        .arg("observe")
        .flag("--json", arguments.format == OutputFormat::Json);
    arguments.server.given(runner, called_from).run()
}

/// Observes all defined servers and the negative controls, and writes the result to the folder of a run, unless the
/// folder has one already. The runner must be built.
///
/// # Errors
/// When strace is missing, or an installed server does not answer.
pub(crate) fn servers(folder: &Path) -> Result<()> {
    if folder.join("observed.json").is_file() {
        return Ok(());
    }
    let mut ready: Vec<PathBuf> = std::fs::read_dir(SERVERS)
        .with_context(|| format!("listing {SERVERS}"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    ready.sort();
    Program::new(paths::binary("runner"))
        .arg("observe")
        .options("--own-hook", [paths::hook()])
        .arg("--servers")
        .args(ready)
        .options("--out", [folder])
        .run()
}
