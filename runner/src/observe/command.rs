//! The command line of `runner observe`.

use std::path::PathBuf;

use crate::command_line::units::duration_ns;

/// The command line of `runner observe`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ObservationCommand {
    /// Our own hook, a libreadhook.so
    #[arg(long)]
    pub(super) own_hook: PathBuf,
    /// Would this shared object see the payload? Once per hook
    #[arg(long = "hook")]
    pub(super) hooks: Vec<PathBuf>,
    /// A variable of the server's, as NAME=VALUE
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub(super) environment: Vec<String>,
    /// File with the request, TOML or JSON, instead of GET / or of the server's own
    #[arg(long)]
    pub(super) request: Option<PathBuf>,
    /// Port on which the server listens, where it is not told one by {port}
    #[arg(long)]
    pub(super) port: Option<u16>,
    /// A ready server, such as sut/macro/nginx.toml, instead of a command
    #[arg(long, conflicts_with_all = ["command", "port"])]
    pub(super) server: Option<PathBuf>,
    /// All these ready servers, the synthetic one in its call styles, and programs of which no hook sees anything
    #[arg(long, num_args = 1.., value_delimiter = ',', requires = "out", conflicts_with_all = ["server", "command", "port", "request", "hooks", "environment"])]
    pub(super) servers: Vec<PathBuf>,
    /// Folder for what is observed of several servers
    #[arg(long, requires = "servers")]
    pub(super) out: Option<PathBuf>,
    /// Longest time until the server answers, as 30s [default: a minute]
    #[arg(long, value_parser = duration_ns)]
    pub(super) ready: Option<f64>,
    /// Folder in which the command is started [default: the present one]
    #[arg(long)]
    pub(super) directory: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    /// The server's command; without {port} in it and without --port it runs until it ends, and is sent nothing
    #[arg(last = true, required_unless_present_any = ["server", "servers"])]
    pub(super) command: Vec<String>,
}
