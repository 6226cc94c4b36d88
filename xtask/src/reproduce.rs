//! `cargo xtask reproduce`: everything this machine can do, in one go.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;

use crate::run::Options;
use crate::{build, claims, doctor, import, notebooks, paths, report, run, runs};

/// What `reproduce` measures first: what each step of the hook costs.
const EXPERIMENT: &str = "experiments/overhead.toml";
/// What is measured for each of the ten recommendations.
const RECOMMENDATIONS: [&str; 10] = ["r01", "r02", "r03", "r04", "r05", "r06", "r07", "r08", "r09", "r10"];
/// Those of them that a first look has in small.
const SMOKE: [&str; 2] = ["r05", "r06"];
/// Where, of what works here: what can be had without an engine, and with one.
const CONDITIONS: [&str; 3] = ["local-pod", "local-bridge", "docker"];
/// The 2023 study's own experiment, where what it needs is there.
const STUDY: &str = "experiments/ssp2023.toml";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long to measure
    #[arg(long, default_value = "default")]
    profile: Profile,
    /// Analyse this recorded run again, or all in this folder of recorded runs, as data/reference, instead of measuring
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
    let (run, recorded) = match &arguments.from {
        Some(folder) => recorded(folder)?,
        None => (measure(arguments.profile, paths::RUNS.as_ref())?, Vec::new()),
    };
    let again = match &arguments.from {
        Some(_) => None,
        None => study_again(arguments.profile, study)?,
    };
    let recommendations = match &arguments.from {
        Some(_) => recorded,
        None => recommendations(arguments.profile)?,
    };
    step("report");
    let out = runs::report_of(&run);
    report::write("html", &run, &out)?;
    let again = again.map(|run| (runs::report_of(&run), run));
    if let Some((out, run)) = &again {
        report::write("html", run, out)?;
    }
    for run in &recommendations {
        report::exhibit(run, &runs::report_of(run))?;
    }
    step("claims");
    claims::print(&[])?;
    step("notebooks");
    let brief = arguments.profile == Profile::Smoke || arguments.from.is_some();
    if !study {
        eprintln!("left out: the notebooks read the 2023 study, which is not there");
    } else if brief && !notebooks::can_begin_at_once() {
        eprintln!("left out: their kernel would be built first, for ten minutes; `cargo xtask notebooks` does so");
    } else {
        notebooks::all()?;
    }
    step("done");
    println!("run: {}", run.join("manifest.json").display());
    println!("report: {}", out.join("index.html").display());
    if let Some((out, run)) = &again {
        println!("the study's experiment: {}", run.join("manifest.json").display());
        println!("its report: {}", out.join("index.html").display());
    }
    println!("again: cargo xtask reproduce --from {}", run.display());
    Ok(())
}

/// What was recorded: the run of the hook's steps, and those of the recommendations where they are there.
fn recorded(folder: &Path) -> Result<(PathBuf, Vec<PathBuf>)> {
    eprintln!("nothing is measured: {} is analysed again", folder.display());
    let main = run::title(EXPERIMENT.as_ref());
    // The folder itself, or its part that holds the recorded runs, as of `data`.
    let inner = folder.join("reference");
    let all = if inner.join(&main).is_dir() {
        inner
    } else {
        folder.to_owned()
    };
    if !all.join(&main).is_dir() {
        return Ok((runs::chosen(Some(folder))?, Vec::new()));
    }
    let there = RECOMMENDATIONS
        .iter()
        .map(|name| all.join(name))
        .filter(|run| run.is_dir());
    Ok((runs::chosen(Some(&all.join(main)))?, there.collect()))
}

/// Measures into `runs`; the binaries must have been built.
///
/// # Errors
/// When the runner fails.
pub(crate) fn measure(profile: Profile, runs: &Path) -> Result<PathBuf> {
    let mut options = profile.options();
    let available = doctor::available()?;
    for condition in CONDITIONS {
        if available.iter().any(|name| name == condition) {
            options.conditions.push(condition.to_owned());
        } else {
            eprintln!("left out: {condition}; `cargo xtask doctor` says why, and what would help");
        }
    }
    eprintln!("conditions: {}", options.conditions.join(", "));
    experiment(EXPERIMENT, profile.name(), &options, runs)
}

fn experiment(definition: &str, profile: &str, options: &Options, runs: &Path) -> Result<PathBuf> {
    let definition = Path::new(definition);
    let title = format!("{}-{profile}", run::title(definition));
    let folder = run::folder(definition, &title, options, runs)?;
    run::measure(definition, options, &folder)?;
    Ok(folder)
}

/// Measures what the recommendations need, as far as the profile goes.
fn recommendations(profile: Profile) -> Result<Vec<PathBuf>> {
    let names: &[&str] = if profile == Profile::Smoke {
        &SMOKE
    } else {
        &RECOMMENDATIONS
    };
    let mut found = Vec::new();
    for name in names {
        step(&match recorded_minutes(name) {
            Some(minutes) if profile == Profile::Default => {
                format!("{name}, which took {minutes:.1} minutes when recorded")
            }
            _ => (*name).to_owned(),
        });
        let definition = format!("experiments/{name}.toml");
        found.push(experiment(
            &definition,
            profile.name(),
            &profile.options(),
            paths::RUNS.as_ref(),
        )?);
    }
    Ok(found)
}

/// How long the recorded run of an experiment took.
fn recorded_minutes(name: &str) -> Option<f64> {
    let folder = Path::new(paths::REFERENCE).join(name);
    let first = runs::cells(&folder).into_iter().next()?;
    let manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(first.join("manifest.json")).ok()?).ok()?;
    let at = |key: &str| manifest[key].as_f64();
    Some((at("finished_unix_ns")? - at("started_unix_ns")?) / 60e9)
}

/// Repeats the study's experiment; `None`, with the reason said, where something that it needs is not there.
fn study_again(profile: Profile, imported: bool) -> Result<Option<PathBuf>> {
    step("the 2023 study's experiment");
    let mut missing = doctor::missing_for_tomcat();
    if !imported {
        missing.push("the study's words: cargo xtask import ssp2023".to_owned());
    }
    if !missing.is_empty() {
        eprintln!("left out, for it needs {}", missing.join("; "));
        return Ok(None);
    }
    let options = match profile {
        // As many requests as the study sent.
        Profile::Default => Options::default(),
        Profile::Paper => Options {
            launches: Some(10),
            ..Options::default()
        },
        Profile::Smoke => profile.options(),
    };
    experiment(STUDY, profile.name(), &options, paths::RUNS.as_ref()).map(Some)
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
