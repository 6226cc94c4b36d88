//! The options of `measure` and `observe` for a server and the hooks in it.

use std::path::{Path, PathBuf};

use crate::paths;
use crate::programs::Program;

#[derive(clap::Args)]
pub(crate) struct ServerOptions {
    /// Shared object for LD_PRELOAD; once per hook
    #[arg(long = "hook", value_parser = paths::from_here)]
    pub(crate) hooks: Vec<PathBuf>,
    /// Environment variable of the server, with and without a hook, as NAME=VALUE
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
    /// Command of the server; {port} stands for its port, {dir} for a folder of its own
    #[arg(last = true, required_unless_present = "server")]
    command: Vec<String>,
}

impl ServerOptions {
    /// Adds the options to a command of the runner, which starts the server in the folder `called_from`. The command of the
    /// server ends the command line.
    pub(crate) fn given(&self, runner: Program, called_from: &Path) -> Program {
        let separator = (!self.command.is_empty()).then_some("--");
        runner
            .options("--own-hook", [paths::hook()])
            .options("--directory", [called_from])
            .options("--hook", &self.hooks)
            .options("--env", &self.environment)
            .options("--request", &self.request)
            .options("--server", &self.server)
            .options("--port", self.port.map(|port| port.to_string()))
            .options("--ready", &self.ready)
            .args(separator)
            .args(&self.command)
    }
}
