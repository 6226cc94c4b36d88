//! `cargo xtask bench`: side by side with others, in one run.

use anyhow::Result;

use crate::programs::{Program, cargo, find};
use crate::{build, paths};

/// Locust's version, so that two machines compare with the same; the others' are printed.
const LOCUST: &str = "locust==2.32.4";

/// What the study's notebook is written with, so that two machines compare with the same.
const PYTHON_PACKAGES: [&str; 4] = ["numpy==2.4.6", "pandas==3.1.1", "scipy==1.17.1", "matplotlib==3.11.2"];

#[derive(clap::Subcommand)]
pub(crate) enum Arguments {
    /// What the hook costs: each call by mode, instructions, and its search beside others
    Hook {
        /// Rounds; in each, everything is measured once
        #[arg(long, default_value_t = 30)]
        rounds: u32,
    },
    /// How fast the analysis is: beside pandas, SciPy and matplotlib on the study's recordings, and beside merely decoding a
    /// large made-up run
    Analysis {
        /// Observations of the made-up run; about 2 GB of disk for 100 million, given back afterwards
        #[arg(long, default_value_t = 100_000_000)]
        rows: u64,
        /// Repetitions with the study's recordings
        #[arg(long, default_value_t = 10)]
        repetitions: u32,
        /// Keep the made-up run in the target folder
        #[arg(long)]
        keep: bool,
        /// Bring pandas, SciPy and matplotlib into a virtual environment below the target folder where they are missing
        #[arg(long)]
        install: bool,
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
        Arguments::Analysis {
            rows,
            repetitions,
            keep,
            install,
        } => analysis(*rows, *repetitions, *keep, *install),
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

/// The study's recordings first, where they are imported and Python is there; then the made-up run.
fn analysis(rows: u64, repetitions: u32, keep: bool, install: bool) -> Result<()> {
    let packages = ["report", "report-bench"].iter().flat_map(|name| ["--package", name]);
    cargo().args(["build", "--release"]).args(packages).run()?;
    let folder = paths::target().join("bench-analysis");
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    if install && !python.exists() {
        Program::new("python3").args(["-m", "venv"]).arg(&venv).run_aside()?;
        Program::new(venv.join("bin/pip"))
            .args(["install", "--quiet"])
            .args(PYTHON_PACKAGES)
            .run_aside()?;
    }
    let bench = || Program::new(paths::binary("report-bench"));
    if !paths::study_is_there() {
        eprintln!("left out: the study's recordings are not there; `cargo xtask import ssp2023` brings them");
    } else if !python.exists() {
        eprintln!("left out: pandas, SciPy and matplotlib are not there; --install brings them");
    } else {
        bench()
            .args(["study", "--study", paths::STUDY, "--python"])
            .arg(python)
            .args(["--script", "report/bench/study.py", "--report"])
            .arg(paths::binary("report"))
            .arg("--folder")
            .arg(&folder)
            .args(["--repetitions", &repetitions.to_string()])
            .run()?;
    }
    let mut scale = bench()
        .args(["scale", "--rows", &rows.to_string(), "--folder"])
        .arg(folder.join("made-up"));
    if keep {
        scale = scale.arg("--keep");
    }
    scale.run()
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
