//! The command line of `runner observe`.

use std::path::PathBuf;

use crate::preflight::subject::ForeignServerOptions;

/// The command line of `runner observe`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ObservationCommand {
    /// The project's hook, a libreadhook.so
    #[arg(long)]
    pub(super) own_hook: PathBuf,
    /// Also report if this shared object replaces the functions that receive the payload; once for each hook
    #[arg(long = "hook")]
    pub(super) hooks: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) server: ForeignServerOptions,
    /// Observe these ready servers, the synthetic server with each of its functions, and programs that no preloaded library sees
    #[arg(long, num_args = 1.., value_delimiter = ',', requires = "out", conflicts_with_all = ["server", "command", "port", "request", "hooks", "environment"])]
    pub(super) servers: Vec<PathBuf>,
    /// Folder for the observations of --servers
    #[arg(long, requires = "servers")]
    pub(super) out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Command of the server; without {port} and --port the command runs until it ends and receives no requests
    #[arg(last = true, required_unless_present_any = ["server", "servers"])]
    pub(super) command: Vec<String>,
}
