//! The command line of `runner measure`.

use std::path::PathBuf;

use model::{PreloadedObject, Topology};

use crate::command_line::units::duration_ns;
use crate::preflight::subject::ForeignServerOptions;

/// The topology of all measurements of foreign hooks. Client and server share a network namespace, so that the network adds as
/// little time as possible.
pub(super) const TOPOLOGY: Topology = Topology::LocalPod;

/// The command line of `runner measure`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ForeignHookCommand {
    /// A shared object that LD_PRELOAD loads; once for each hook
    #[arg(long = "hook", required = true)]
    pub(super) hooks: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) server: ForeignServerOptions,
    /// Folder of the run
    #[arg(long)]
    pub(super) out: PathBuf,
    /// Stop after ten launches or more when the half-width of each contrast's 95 % interval is at most this time
    #[arg(long, default_value = "100ns", value_parser = duration_ns)]
    pub(super) precision: f64,
    /// Start no further launch after this time and ten launches
    #[arg(long, default_value = "75s", value_parser = duration_ns)]
    pub(super) budget: f64,
    /// Starts of a program with each hook, and without it, by which the cost of loading the hook is measured
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(i64::from(crate::starts::BLOCKS)..))]
    pub(super) starts: u32,
    /// Measure the capacity of the server, and latencies with random arrivals at shares of it; --precision and --budget have no
    /// effect
    #[arg(long)]
    pub(super) load: bool,
    /// The project's hook, for the calibration [default: ../hook/libreadhook.so, from this program's folder]
    #[arg(long)]
    pub(super) own_hook: Option<PathBuf>,
    /// Command of the server; {port} stands for its port and {dir} for a folder of its own
    #[arg(last = true, required_unless_present = "server")]
    pub(super) command: Vec<String>,
}

/// A foreign hook and its name.
#[derive(Clone, Debug)]
pub(crate) struct ForeignHook {
    pub(crate) name: String,
    pub(crate) preload: PreloadedObject,
}
