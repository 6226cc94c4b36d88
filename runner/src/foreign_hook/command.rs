//! The command line of `runner measure`.

use std::path::PathBuf;

use model::{PreloadedObject, Topology};

use crate::command_line::units::duration_ns;

/// Client and server share a network namespace, so that the network adds as little time as possible.
pub(super) const TOPOLOGY: Topology = Topology::LocalPod;

/// The command line of `runner measure`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ForeignHookCommand {
    /// A shared object to be loaded by LD_PRELOAD; once per hook
    #[arg(long = "hook", required = true)]
    pub(super) hooks: Vec<PathBuf>,
    /// A variable of the server's, with and without a hook, as NAME=VALUE
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
    /// Longest time until the server answers, as 30s [default: a minute]
    #[arg(long, value_parser = duration_ns)]
    pub(super) ready: Option<f64>,
    /// Folder in which the command is started [default: the present one]
    #[arg(long)]
    pub(super) directory: Option<PathBuf>,
    /// Folder of the run
    #[arg(long)]
    pub(super) out: PathBuf,
    /// Stop when half of each contrast's 95 % interval is at most this, after ten launches or more
    #[arg(long, default_value = "100ns", value_parser = duration_ns)]
    pub(super) precision: f64,
    /// Begin no further launch after this time, once there are ten
    #[arg(long, default_value = "75s", value_parser = duration_ns)]
    pub(super) budget: f64,
    /// Our own hook, for the calibration; beside this program's folder if not given
    #[arg(long)]
    pub(super) own_hook: Option<PathBuf>,
    /// The command of the server; {port} stands for its port, {dir} for a folder of its own
    #[arg(last = true, required_unless_present = "server")]
    pub(super) command: Vec<String>,
}

/// A foreign hook and its name.
#[derive(Clone, Debug)]
pub(crate) struct ForeignHook {
    pub(crate) name: String,
    pub(crate) preload: PreloadedObject,
}
