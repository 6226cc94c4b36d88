//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// The options of the benchmark.
#[derive(Parser)]
#[command(about = "Measures the cost of the hook, call by call and search by search", version)]
pub(crate) struct HookBench {
    /// The hook, which `cargo xtask build` builds
    #[arg(long, default_value = "target/hook/libreadhook.so")]
    pub(crate) hook: PathBuf,
    /// Number of rounds; each round measures everything once
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(3..))]
    pub(crate) rounds: u32,
    /// Also measure each call after other work, which uses the caches as the path of a server does
    #[arg(long)]
    pub(crate) cold: bool,
    /// Word file for the modes that search [default: the hook's own words]
    #[arg(long)]
    pub(crate) words: Option<PathBuf>,
}
