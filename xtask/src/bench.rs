//! `cargo xtask bench`: side by side with others, in one run.

use anyhow::Result;

use crate::programs::{Program, cargo, find};
use crate::{build, paths};

/// Locust's version, so that two machines compare with the same; the others' are printed.
const LOCUST: &str = "locust==2.32.4";

#[derive(clap::Subcommand)]
pub(crate) enum Arguments {
    /// What the hook costs: each call by mode, instructions, and its search beside others
    Hook {
        /// Rounds; in each, everything is measured once
        #[arg(long, default_value_t = 30)]
        rounds: u32,
    },
    /// What other load generators recover of a known delay: wrk, hey, oha, autocannon, Locust, where they are installed
    Peers {
        /// Repetitions; in each, every load generator asks both servers
        #[arg(long, default_value_t = 10)]
        repetitions: u32,
        /// Seconds for each server
        #[arg(long, default_value_t = 4)]
        seconds: u32,
        /// Bring those that are missing: wrk and hey by apt-get as root, the others below the target folder
        #[arg(long)]
        install: bool,
    },
}

/// Builds what is needed and measures.
///
/// # Errors
/// When the build or the benchmark fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match arguments {
        Arguments::Hook { rounds } => {
            build::hook()?;
            benchmark("hook-bench").arg("--rounds").arg(rounds.to_string()).run()
        }
        Arguments::Peers {
            repetitions,
            seconds,
            install,
        } => {
            build::run()?;
            let installed = paths::target().join("peers");
            if *install {
                bring(&installed);
            }
            benchmark("loadgen-bench")
                .args([
                    "--repetitions",
                    &repetitions.to_string(),
                    "--seconds",
                    &seconds.to_string(),
                ])
                .arg("--binaries")
                .arg(paths::target().join("release"))
                .arg("--hook")
                .arg(paths::hook())
                .arg("--installed")
                .arg(installed)
                .run()
        }
    }
}

fn benchmark(package: &str) -> Program {
    cargo().args(["run", "--release", "--package", package, "--"])
}

/// Installs what is missing; what cannot be had is said here, and again by the benchmark.
fn bring(folder: &std::path::Path) {
    let place = |path: &str| folder.join(path);
    let mut programs = Vec::new();
    for name in ["wrk", "hey"] {
        if find(name).is_none() {
            programs.push(Program::new("apt-get").args(["install", "-y", "-qq", name]));
        }
    }
    if !place("bin/oha").exists() {
        programs.push(cargo().args(["install", "--locked", "oha", "--root"]).arg(folder));
    }
    if !place("node_modules/.bin/autocannon").exists() {
        programs.push(
            Program::new("npm")
                .args(["install", "--no-fund", "autocannon", "--prefix"])
                .arg(folder),
        );
    }
    if !place("venv/bin/locust").exists() {
        programs.push(Program::new("python3").args(["-m", "venv"]).arg(place("venv")));
        programs.push(Program::new(place("venv/bin/pip")).args(["install", "--quiet", LOCUST]));
    }
    for program in programs {
        if let Err(error) = program.run_aside() {
            eprintln!("{error:#}");
        }
    }
}
