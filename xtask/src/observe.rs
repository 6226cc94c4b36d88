//! `cargo xtask observe`: lists the functions by which a server receives, and whether a hook sees the payload.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::output::OutputFormat;
use crate::programs::Program;
use crate::{build, paths};

/// The folder of the servers' definitions.
const SERVERS: &str = "sut/macro";

#[derive(clap::Args)]
pub(crate) struct ObserveCommand {
    /// Shared object of which to tell whether it sees the payload; once per hook
    #[arg(long = "hook", value_parser = paths::from_here)]
    hooks: Vec<PathBuf>,
    /// Environment variable of the server, as NAME=VALUE
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,
    /// File with the request, TOML or JSON [default: GET /, or the request of --server]
    #[arg(long, value_parser = paths::from_here)]
    request: Option<PathBuf>,
    /// Port on which the server listens, where its command has no {port}
    #[arg(long)]
    port: Option<u16>,
    /// Longest time until the server answers, as 30s [default: a minute]
    #[arg(long)]
    ready: Option<String>,
    /// Definition of a server, such as sut/macro/nginx.toml, instead of a command
    #[arg(long, conflicts_with_all = ["command", "port"], value_parser = paths::from_here)]
    server: Option<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Command of the server. Without {port} and without --port it runs until it ends or until Ctrl-C, and you send the
    /// requests
    #[arg(last = true, required_unless_present = "server")]
    command: Vec<String>,
}

/// Builds the programs and observes the server.
///
/// # Errors
/// When the server does not start or does not answer.
pub(crate) fn run(arguments: &ObserveCommand, stood_in: &Path) -> Result<()> {
    build::run()?;
    let mut program = Program::new(paths::binary("runner"))
        .arg("observe")
        .arg("--own-hook")
        .arg(paths::hook());
    for hook in &arguments.hooks {
        program = program.arg("--hook").arg(hook);
    }
    for variable in &arguments.environment {
        program = program.args(["--env", variable]);
    }
    for (flag, path) in [("--request", &arguments.request), ("--server", &arguments.server)] {
        if let Some(path) = path {
            program = program.arg(flag).arg(path);
        }
    }
    let port = arguments.port.map(|port| port.to_string());
    for (flag, value) in [("--port", &port), ("--ready", &arguments.ready)] {
        if let Some(value) = value {
            program = program.args([flag, value]);
        }
    }
    if arguments.format == OutputFormat::Json {
        program = program.arg("--json");
    }
    program = program.arg("--directory").arg(stood_in);
    if !arguments.command.is_empty() {
        program = program.arg("--").args(&arguments.command);
    }
    program.run()
}

/// Observes all defined servers and the negative controls, and writes the result to the folder of a run, unless the folder has
/// one already. The runner is built already.
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
        .arg("--own-hook")
        .arg(paths::hook())
        .arg("--servers")
        .args(ready)
        .arg("--out")
        .arg(folder)
        .run()
}
