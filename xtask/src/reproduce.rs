//! `cargo xtask reproduce`: everything this machine can do, in one go.

mod session;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::definition::Definition;
use crate::run::Options;
use crate::{build, claims, doctor, import, notebooks, paths, report, run, runs};
use session::Session;

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
    /// What each definition says: at least 10 launches for a recommendation, half an hour
    Default,
    /// 50,000 rounds, as many requests as the 2023 study sent, in at least 30 launches, of the full grids: hours
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

    /// What it asks for otherwise than a definition.
    fn options(self, definition: &Definition) -> Options {
        let (launches, rounds) = match self {
            Self::Smoke => (Some(2), Some(1_000)),
            Self::Default => (None, None),
            Self::Paper => (Some(definition.launches.max(30)), Some(50_000)),
        };
        Options {
            launches,
            rounds,
            full_grid: self == Self::Paper,
            ..Options::default()
        }
    }
}

/// What one reproduction is about.
struct Measured {
    /// What each step of the hook costs.
    steps: PathBuf,
    /// The study's own experiment.
    study: Option<PathBuf>,
    recommendations: Vec<PathBuf>,
    /// What should have been measured and was not.
    failed: Vec<String>,
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
    let (measured, session) = if let Some(folder) = &arguments.from {
        (recorded(folder)?, None)
    } else {
        let session = Session::begin(arguments.profile.name(), paths::RUNS.as_ref())?;
        (all(arguments.profile, study, &session)?, Some(session))
    };
    step("report");
    let out = runs::report_of(&measured.steps);
    let page = report::page(&measured.steps, &out)?;
    let again = measured.study.map(|run| (runs::report_of(&run), run));
    if let Some((out, run)) = &again {
        report::write("html", run, out)?;
    }
    for run in &measured.recommendations {
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
    ensure!(
        measured.failed.is_empty(),
        "not measured: {}; the messages stand above, and the same command goes on with them",
        measured.failed.join(", ")
    );
    if let Some(session) = session {
        session.end()?;
    }
    step("done");
    println!("run: {}", measured.steps.display());
    println!("report: {}", page.display());
    if let Some((out, run)) = &again {
        println!("the study's experiment: {}", run.display());
        println!("its report: {}", out.join("index.html").display());
    }
    println!("again: cargo xtask reproduce --from {}", measured.steps.display());
    Ok(())
}

/// Measures all that this machine can.
fn all(profile: Profile, study: bool, session: &Session) -> Result<Measured> {
    let available = doctor::available()?;
    let steps = steps(profile, &available, |definition, options| {
        experiment(definition, profile, options, session)
    })?;
    let mut measured = Measured {
        steps,
        study: None,
        recommendations: Vec::new(),
        failed: Vec::new(),
    };
    match study_again(profile, study, session) {
        Ok(run) => measured.study = run,
        Err(error) => measured.fail(STUDY, &error),
    }
    let names: &[&str] = if profile == Profile::Smoke {
        &SMOKE
    } else {
        &RECOMMENDATIONS
    };
    for name in names {
        match recommendation(name, profile, &available, session) {
            Ok(run) => measured.recommendations.extend(run),
            Err(error) => measured.fail(name, &error),
        }
    }
    Ok(measured)
}

impl Measured {
    /// The others are measured nevertheless.
    fn fail(&mut self, name: &str, error: &anyhow::Error) {
        eprintln!("failed: {name}: {error:#}");
        self.failed.push(name.to_owned());
    }
}

/// What was recorded: the run of the hook's steps, and those of the recommendations where they are there.
fn recorded(folder: &Path) -> Result<Measured> {
    eprintln!("nothing is measured: {} is analysed again", folder.display());
    let main = run::title(EXPERIMENT.as_ref());
    // The folder of one machine's runs, of all machines, or `data`, whose part `reference` holds the machines.
    let machines = runs::folders(folder)?
        .into_iter()
        .chain(runs::folders(&folder.join("reference"))?);
    let all = std::iter::once(folder.to_owned())
        .chain(machines)
        .find(|all| all.join(&main).is_dir());
    let (steps, there) = match all {
        Some(all) => {
            let runs = RECOMMENDATIONS.iter().map(|name| all.join(name));
            (all.join(main), runs.filter(|run| run.is_dir()).collect())
        }
        None => (folder.to_owned(), Vec::new()),
    };
    Ok(Measured {
        steps: runs::chosen(Some(&steps))?,
        study: None,
        recommendations: there,
        failed: Vec::new(),
    })
}

/// Measures what each step of the hook costs, and nothing else, into `runs`; the binaries must have been built.
///
/// # Errors
/// When the runner fails.
pub(crate) fn measure(profile: Profile, runs: &Path) -> Result<PathBuf> {
    steps(profile, &doctor::available()?, |definition, options| {
        let folder = run::folder(definition, &title(definition, profile), options, runs)?;
        run::measure(definition, options, &folder)?;
        Ok(folder)
    })
}

/// Measures each step of the hook in all conditions that can be had without asking for them.
fn steps(
    profile: Profile,
    available: &[String],
    measure: impl FnOnce(&Path, &Options) -> Result<PathBuf>,
) -> Result<PathBuf> {
    let path = Path::new(EXPERIMENT);
    let mut options = profile.options(&Definition::read(path)?);
    for condition in CONDITIONS {
        if available.iter().any(|name| name == condition) {
            options.conditions.push(condition.to_owned());
        } else {
            eprintln!("left out: {condition}; `cargo xtask doctor` says why, and what would help");
        }
    }
    eprintln!("conditions: {}", options.conditions.join(", "));
    measure(path, &options)
}

/// Goes on with an experiment or begins it, unless the reproduction has finished it.
fn experiment(definition: &Path, profile: Profile, options: &Options, session: &Session) -> Result<PathBuf> {
    let title = title(definition, profile);
    if let Some(run) = session.finished(&run::name(definition, &title, options)?)? {
        eprintln!("{} is finished", run.display());
        run::complete(definition, &run)?;
        return Ok(run);
    }
    let folder = run::folder(definition, &title, options, session.runs())?;
    run::measure(definition, options, &folder)?;
    Ok(folder)
}

/// What runs of a profile are called.
fn title(definition: &Path, profile: Profile) -> String {
    format!("{}-{}", run::title(definition), profile.name())
}

/// Measures what a recommendation needs; `None`, with the reason said, where this machine has none of its conditions.
fn recommendation(name: &str, profile: Profile, available: &[String], session: &Session) -> Result<Option<PathBuf>> {
    step(name);
    let path = PathBuf::from(format!("experiments/{name}.toml"));
    let definition = Definition::read(&path)?;
    if !definition
        .conditions
        .iter()
        .any(|condition| available.contains(condition))
    {
        eprintln!(
            "left out: {} cannot be had here; `cargo xtask doctor` says why, and what would help",
            definition.conditions.join(", ")
        );
        return Ok(None);
    }
    experiment(&path, profile, &profile.options(&definition), session).map(Some)
}

/// Repeats the study's experiment; `None`, with the reason said, where something that it needs is not there.
fn study_again(profile: Profile, imported: bool, session: &Session) -> Result<Option<PathBuf>> {
    step("the 2023 study's experiment");
    let mut missing = doctor::missing_for_tomcat();
    if !imported {
        missing.push("the study's words: cargo xtask import ssp2023".to_owned());
    }
    if !missing.is_empty() {
        eprintln!("left out, for it needs {}", missing.join("; "));
        return Ok(None);
    }
    let path = Path::new(STUDY);
    let options = match profile {
        // As many requests as the study sent.
        Profile::Default => Options::default(),
        Profile::Paper => Options {
            launches: Some(10),
            ..Options::default()
        },
        Profile::Smoke => profile.options(&Definition::read(path)?),
    };
    experiment(path, profile, &options, session).map(Some)
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
