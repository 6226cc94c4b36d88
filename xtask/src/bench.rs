//! `cargo xtask bench`: comparisons with other programs, side by side in one run.

use std::path::Path;

use anyhow::Result;

use crate::programs::{Program, cargo, find};
use crate::run::{self, RunOptions};
use crate::{build, paths};

/// The version of Locust that is installed. The benchmark prints the versions of the other load generators.
const LOCUST: &str = "locust==2.32.4";

/// The packages that the study's notebook uses, in the same versions on every machine.
const PYTHON_PACKAGES: [&str; 4] = ["numpy==2.4.6", "pandas==3.1.1", "scipy==1.17.1", "matplotlib==3.11.2"];

#[derive(clap::Subcommand)]
pub(crate) enum BenchCommand {
    /// Self-checks of a launch under purpose-made disturbance by dose: which fail where an estimate with known truth is disturbed
    Checks {
        #[command(flatten)]
        options: Box<RunOptions>,
    },
    /// How much longer a message takes after a wait in which the thread's caches cool
    Cooling {
        /// Blocks, over which the intervals are computed
        #[arg(long, default_value_t = 30)]
        blocks: u32,
    },
    /// Cost of the hook: time of each call by mode, instructions, its search beside other searches, and the cost of loading it
    Hook {
        /// Rounds; each measures everything once
        #[arg(long, default_value_t = 30)]
        rounds: u32,
        /// Also measure each call after other work, which uses the caches as the path of a server does
        #[arg(long)]
        cold: bool,
    },
    /// Speed of the analysis: beside pandas, SciPy and matplotlib on the study's recordings, and beside decoding alone on a
    /// large synthetic run
    Analysis {
        /// Observations of the synthetic run; 100 million take about 2 GB of disk until the end
        #[arg(long, default_value_t = 100_000_000)]
        rows: u64,
        /// Repetitions with the study's recordings
        #[arg(long, default_value_t = 10)]
        repetitions: u32,
        /// Keep the synthetic run in the target folder
        #[arg(long)]
        keep: bool,
        /// Install pandas, SciPy and matplotlib into a virtual environment below the target folder where they are missing
        #[arg(long)]
        install: bool,
    },
    /// A known delay as other load generators measure it: wrk, hey, oha, autocannon and Locust, where they are installed
    Peers {
        /// Repetitions; in each, every load generator sends to both servers
        #[arg(long, default_value_t = 10)]
        repetitions: u32,
        /// Seconds for each server
        #[arg(long, default_value_t = 4)]
        seconds: u32,
        /// Install missing load generators: wrk and hey with apt-get as root, the others below the target folder
        #[arg(long)]
        install: bool,
    },
}

/// Builds the programs and runs the benchmark.
///
/// # Errors
/// When the build or the benchmark fails.
pub(crate) fn run(arguments: &BenchCommand) -> Result<()> {
    match arguments {
        BenchCommand::Checks { options } => {
            build::run()?;
            let experiment = Path::new("experiments/checks.toml");
            let folder = run::folder(experiment, "checks", options, paths::RUNS.as_ref())?;
            run::measure(experiment, options, &folder)?;
            let report = Program::new(paths::binary("report"));
            report.arg("checks").options("--run", [folder]).run()
        }
        BenchCommand::Cooling { blocks } => cargo()
            .args(["run", "--release", "--package", "hook-bench", "--bin", "cooling", "--"])
            .options("--blocks", [blocks.to_string()])
            .run(),
        BenchCommand::Hook { rounds, cold } => {
            build::run()?;
            let bench = benchmark("hook-bench").options("--rounds", [rounds.to_string()]);
            bench.flag("--cold", *cold).run()?;
            let costs = paths::target().join("starts.json");
            let runner = Program::new(paths::binary("runner")).arg("starts");
            runner
                .options("--hook", [paths::hook()])
                .options("--out", [&costs])
                .run()?;
            let report = Program::new(paths::binary("report")).arg("starts");
            report.options("--costs", [&costs]).run()
        }
        BenchCommand::Analysis {
            rows,
            repetitions,
            keep,
            install,
        } => analysis(*rows, *repetitions, *keep, *install),
        BenchCommand::Peers {
            repetitions,
            seconds,
            install,
        } => {
            build::run()?;
            let installed = paths::target().join("peers");
            if *install {
                install_peers(&installed, &["wrk", "hey", "oha", "autocannon", "locust"]);
            }
            benchmark("loadgen-bench")
                .options("--repetitions", [repetitions.to_string()])
                .options("--seconds", [seconds.to_string()])
                .options("--binaries", [paths::target().join("release")])
                .options("--hook", [paths::hook()])
                .options("--installed", [installed])
                .run()
        }
    }
}

/// Runs the benchmark on the study's recordings if they are imported and Python has the packages, and on the synthetic
/// run.
fn analysis(rows: u64, repetitions: u32, keep: bool, install: bool) -> Result<()> {
    build::release(&["report", "report-bench"]).run()?;
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
        eprintln!("left out: the study is not imported; run `cargo xtask import ssp2023`");
    } else if !python.exists() {
        eprintln!("left out: pandas, SciPy and matplotlib are not installed; --install installs them");
    } else {
        bench()
            .args(["study", "--study", paths::STUDY, "--script", "report/bench/study.py"])
            .options("--python", [python])
            .options("--report", [paths::binary("report")])
            .options("--folder", [&folder])
            .options("--repetitions", [repetitions.to_string()])
            .run()?;
    }
    bench()
        .args(["scale", "--rows", &rows.to_string(), "--folder"])
        .arg(folder.join("synthetic"))
        .flag("--keep", keep)
        .run()
}

fn benchmark(package: &str) -> Program {
    cargo().args(["run", "--release", "--package", package, "--"])
}

/// Installs those of the named load generators that are missing. Prints an error if one cannot be installed; the measurement
/// then runs without it.
pub(crate) fn install_peers(folder: &std::path::Path, names: &[&str]) {
    let place = |path: &str| folder.join(path);
    let mut programs = Vec::new();
    for name in names {
        match *name {
            "oha" if !place("bin/oha").exists() => {
                programs.push(cargo().args(["install", "--locked", "oha", "--root"]).arg(folder));
            }
            "autocannon" if !place("node_modules/.bin/autocannon").exists() => {
                let npm = Program::new("npm").args(["install", "--no-fund", "autocannon", "--prefix"]);
                programs.push(npm.arg(folder));
            }
            "locust" if !place("venv/bin/locust").exists() => {
                programs.push(Program::new("python3").args(["-m", "venv"]).arg(place("venv")));
                programs.push(Program::new(place("venv/bin/pip")).args(["install", "--quiet", LOCUST]));
            }
            "oha" | "autocannon" | "locust" => {}
            packaged if find(packaged).is_none() => {
                programs.push(Program::new("apt-get").args(["install", "-y", "-qq", packaged]));
            }
            _ => {}
        }
    }
    for program in programs {
        if let Err(error) = program.run_aside() {
            eprintln!("{error:#}");
        }
    }
}
