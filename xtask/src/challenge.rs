//! `cargo xtask challenge`: blind trials.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::programs::Program;
use crate::runs::RunName;
use crate::{bench, build, paths};

/// The definition of a trial.
const DEFINITION: &str = "experiments/challenge.toml";

#[derive(clap::Args)]
pub(crate) struct ChallengeCommand {
    /// Number of trials; fewer than 260 keep the proportions and leave the requirements open
    #[arg(long, default_value_t = 260)]
    trials: u32,
    /// Folder of the challenge; a stopped challenge continues there [default: a new one in data/challenges]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
    /// Measure nothing; compare the answers of a finished challenge with the truth again
    #[arg(long, value_name = "DIR", value_parser = paths::from_here, conflicts_with_all = ["trials", "out", "install", "without_peers"])]
    open: Option<PathBuf>,
    /// Install missing load generators: wrk with apt-get as root, oha and Locust below the target folder
    #[arg(long)]
    install: bool,
    /// Let no other load generator take part, even if one is installed
    #[arg(long, conflicts_with = "install")]
    without_peers: bool,
}

/// Builds the programs, draws and seals the trials, measures them, and opens the seal.
///
/// # Errors
/// When the build or a trial fails, or a file of the challenge was changed.
pub(crate) fn run(arguments: &ChallengeCommand) -> Result<()> {
    build::run()?;
    let challenge = Program::new(paths::binary("challenge"));
    if let Some(folder) = &arguments.open {
        return challenge.arg("open").arg(folder).run();
    }
    build::sealed_hook()?;
    let installed = paths::target().join("peers");
    if arguments.install {
        bench::install_peers(&installed, &["wrk", "oha", "locust"]);
    }
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => RunName::new("challenge", &[]).new_folder(Path::new(paths::CHALLENGES))?,
    };
    challenge
        .args(["run", "--definition", DEFINITION, "--trials"])
        .arg(arguments.trials.to_string())
        .options("--out", [out])
        .options("--hook", [paths::hook()])
        .options("--sealed-hook", [paths::sealed_hook()])
        .options("--installed", [installed])
        .flag("--without-peers", arguments.without_peers)
        .run()
}
