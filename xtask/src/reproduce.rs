//! `cargo xtask reproduce`: everything this machine can do, in one go.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;

use crate::run::Options;
use crate::{build, doctor, import, notebooks, paths, report, run, runs};

/// What `reproduce` measures.
const EXPERIMENT: &str = "experiments/overhead.toml";
/// Where, of what works here: what can be had without an engine, and with one.
const CONDITIONS: [&str; 3] = ["local-pod", "local-bridge", "docker"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long to measure
    #[arg(long, default_value = "default")]
    profile: Profile,
    /// Analyse this recorded run again instead of measuring
    #[arg(long, value_name = "DIR", value_parser = paths::from_here)]
    from: Option<PathBuf>,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Whether everything works: a minute, too short for narrow intervals
    Smoke,
    /// What the definition says: at least 10 launches a condition, about a quarter of an hour
    Default,
    /// 30 launches of 50,000 rounds a condition, as many requests as the 2023 study sent: hours
    Paper,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Default => "default",
            Self::Paper => "paper",
        }
    }

    fn options(self) -> Options {
        let (launches, rounds) = match self {
            Self::Smoke => (Some(2), Some(1_000)),
            Self::Default => (None, None),
            Self::Paper => (Some(30), Some(50_000)),
        };
        Options {
            launches,
            rounds,
            ..Options::default()
        }
    }
}

/// Builds, imports, measures, reports and executes the notebooks. What cannot be had here is said and left out.
///
/// # Errors
/// When a step fails that this machine should be able to do.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    step("build");
    build::run()?;
    step("the 2023 study");
    let study = study();
    step("measurement");
    let run = match &arguments.from {
        Some(folder) => {
            eprintln!("nothing is measured: {} is analysed again", folder.display());
            runs::chosen(Some(folder))?
        }
        None => measure(arguments.profile, paths::RUNS.as_ref())?,
    };
    step("report");
    let out = runs::report_of(&run);
    report::write("html", &run, &out)?;
    step("notebooks");
    if study {
        notebooks::all()?;
    } else {
        eprintln!("left out: the notebook reads the 2023 study, which is not there");
    }
    step("done");
    println!("run: {}", run.join("manifest.json").display());
    println!("report: {}", out.join("index.html").display());
    println!("again: cargo xtask reproduce --from {}", run.display());
    Ok(())
}

/// Measures into `runs`; the binaries must have been built.
///
/// # Errors
/// When the runner fails.
pub(crate) fn measure(profile: Profile, runs: &Path) -> Result<PathBuf> {
    let experiment = Path::new(EXPERIMENT);
    let mut options = profile.options();
    for condition in CONDITIONS {
        if doctor::has(condition)? {
            options.conditions.push(condition.to_owned());
        } else {
            eprintln!("left out: {condition}; `cargo xtask doctor` says why, and what would help");
        }
    }
    eprintln!("conditions: {}", options.conditions.join(", "));
    let folder = run::folder(experiment, &format!("overhead-{}", profile.name()), &options, runs)?;
    run::measure(experiment, &options, &folder)?;
    Ok(folder)
}

/// Brings in the 2023 study where it is not there yet, and tells whether it is there now.
fn study() -> bool {
    if paths::study_is_there() {
        eprintln!("{} is there already", paths::STUDY);
        return true;
    }
    match import::fetch_and_convert() {
        Ok(()) => true,
        Err(error) => {
            eprintln!("going on without it: {error:#}");
            false
        }
    }
}

fn step(name: &str) {
    eprintln!("== {name}");
}
