//! `cargo xtask observe`: by what a server receives, and whether a hook sees it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::programs::Program;
use crate::{build, paths};

/// Where ready servers are described.
const SERVERS: &str = "sut/macro";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Would this shared object see the payload? Once per hook
    #[arg(long = "hook", value_parser = paths::from_here)]
    hooks: Vec<PathBuf>,
    /// A variable of the server's, as NAME=VALUE
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,
    /// File with the request, TOML or JSON, instead of GET / or of the server's own
    #[arg(long, value_parser = paths::from_here)]
    request: Option<PathBuf>,
    /// Port on which the server listens, where it is not told one by {port}
    #[arg(long)]
    port: Option<u16>,
    /// Longest time until the server answers, as 30s [default: a minute]
    #[arg(long)]
    ready: Option<String>,
    /// A ready server, such as sut/macro/nginx.toml, instead of a command
    #[arg(long, conflicts_with_all = ["command", "port"], value_parser = paths::from_here)]
    server: Option<PathBuf>,
    /// Form of the report on standard output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The server's command. Without {port} in it and without --port it runs until it ends, or until Ctrl-C, and what
    /// reaches it is up to you
    #[arg(last = true, required_unless_present = "server")]
    command: Vec<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Builds what is needed and observes the server.
///
/// # Errors
/// When the server cannot be started or asked.
pub(crate) fn run(arguments: &Arguments, stood_in: &Path) -> Result<()> {
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
    if arguments.format == Format::Json {
        program = program.arg("--json");
    }
    program = program.arg("--directory").arg(stood_in);
    if !arguments.command.is_empty() {
        program = program.arg("--").args(&arguments.command);
    }
    program.run()
}

/// Observes all ready servers and the negative controls into a run's folder, unless that was done; `bench` must have been
/// built.
///
/// # Errors
/// When strace is missing, or a server that is there cannot be asked.
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
