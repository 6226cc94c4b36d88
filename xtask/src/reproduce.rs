//! `cargo xtask reproduce`: builds, measures, analyses and reports everything that this machine can.

mod session;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::definition::Definition;
use crate::run::RunOptions;
use crate::{build, claims, doctor, import, notebooks, paths, report, run, runs};
use session::Session;

/// The first experiment: the cost of each step of the hook.
const EXPERIMENT: &str = "experiments/overhead.toml";
/// The experiments of the ten recommendations.
const RECOMMENDATIONS: [&str; 10] = ["r01", "r02", "r03", "r04", "r05", "r06", "r07", "r08", "r09", "r10"];
/// The experiments of the profile smoke.
const SMOKE: [&str; 2] = ["r05", "r06"];
/// The conditions of the first experiment, as far as they work here: two that need no container engine, and one that does.
const CONDITIONS: [&str; 3] = ["local-pod", "local-bridge", "docker"];
/// The experiment of the 2023 study. It is measured only if its programs are installed.
const STUDY: &str = "experiments/ssp2023.toml";

#[derive(clap::Args)]
pub(crate) struct ReproduceCommand {
    /// Extent of the measurement
    #[arg(long, default_value = "default")]
    profile: Profile,
    /// Instead of measuring, analyse this recorded run, or all runs of this folder, as data/reference
    #[arg(long, value_name = "DIR", value_parser = paths::from_here)]
    from: Option<PathBuf>,
}

/// The extent of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Test that everything works: a minute, too short for narrow intervals
    Smoke,
    /// Follow each definition: at least 10 launches for a recommendation, half an hour
    Default,
    /// Send as many requests as the 2023 study: 50,000 rounds in at least 30 launches, with full grids, for hours
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

    /// The differences of this profile from a definition.
    fn options(self, definition: &Definition) -> RunOptions {
        let (launches, rounds) = match self {
            Self::Smoke => (Some(2), Some(1_000)),
            Self::Default => (None, None),
            Self::Paper => (Some(definition.launches.max(30)), Some(50_000)),
        };
        RunOptions {
            launches,
            rounds,
            full_grid: self == Self::Paper,
            ..RunOptions::default()
        }
    }
}

/// The runs of one reproduction.
struct Reproduction {
    /// The run of the cost of each step of the hook.
    steps: PathBuf,
    /// The study's own experiment.
    study: Option<PathBuf>,
    recommendations: Vec<PathBuf>,
    /// The names of experiments that failed.
    failed: Vec<String>,
}

/// Builds, imports, measures, reports and executes the notebooks. Experiments whose prerequisites are missing are named and
/// left out.
///
/// # Errors
/// When a step fails whose prerequisites are installed.
pub(crate) fn run(arguments: &ReproduceCommand) -> Result<()> {
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
        eprintln!("left out: the notebooks read the 2023 study, which is not imported");
    } else if brief && !notebooks::can_begin_at_once() {
        eprintln!("left out: the notebooks' kernel takes ten minutes to build; `cargo xtask notebooks` builds it");
    } else {
        notebooks::all()?;
    }
    ensure!(
        measured.failed.is_empty(),
        "not measured: {}; the messages stand above, and the same command tries them again",
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
    println!(
        "analyse again with: cargo xtask reproduce --from {}",
        measured.steps.display()
    );
    Ok(())
}

/// Measures every experiment that this machine can.
fn all(profile: Profile, study: bool, session: &Session) -> Result<Reproduction> {
    let available = doctor::available()?;
    let steps = steps(profile, &available, |definition, options| {
        experiment(definition, profile, options, session)
    })?;
    let mut measured = Reproduction {
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

impl Reproduction {
    /// Records a failure; the other experiments are measured nevertheless.
    fn fail(&mut self, name: &str, error: &anyhow::Error) {
        eprintln!("failed: {name}: {error:#}");
        self.failed.push(name.to_owned());
    }
}

/// Returns the recorded runs in a folder: the run of the first experiment, and the existing runs of the
/// recommendations.
fn recorded(folder: &Path) -> Result<Reproduction> {
    eprintln!("measuring nothing, analysing {}", folder.display());
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
    Ok(Reproduction {
        steps: runs::chosen(Some(&steps))?,
        study: None,
        recommendations: there,
        failed: Vec::new(),
    })
}

/// Measures the cost of each step of the hook into `runs` and returns the run; the binaries are built already.
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

/// Measures each step of the hook in the conditions of [`CONDITIONS`] that work on this machine.
fn steps(
    profile: Profile,
    available: &[String],
    measure: impl FnOnce(&Path, &RunOptions) -> Result<PathBuf>,
) -> Result<PathBuf> {
    let path = Path::new(EXPERIMENT);
    let mut options = profile.options(&Definition::read(path)?);
    for condition in CONDITIONS {
        if available.iter().any(|name| name == condition) {
            options.conditions.push(condition.to_owned());
        } else {
            eprintln!("left out: {condition}; `cargo xtask doctor` prints the reason and the fix");
        }
    }
    eprintln!("conditions: {}", options.conditions.join(", "));
    measure(path, &options)
}

/// Continues or begins an experiment, unless the reproduction has finished it already.
fn experiment(definition: &Path, profile: Profile, options: &RunOptions, session: &Session) -> Result<PathBuf> {
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

/// The title of runs of a profile.
fn title(definition: &Path, profile: Profile) -> String {
    format!("{}-{}", run::title(definition), profile.name())
}

/// Measures the experiment of a recommendation; prints the reason and returns `None` where none of its conditions works here.
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
            "left out: {} does not work here; `cargo xtask doctor` prints the reason and the fix",
            definition.conditions.join(", ")
        );
        return Ok(None);
    }
    experiment(&path, profile, &profile.options(&definition), session).map(Some)
}

/// Repeats the study's experiment; prints the reason and returns `None` where a prerequisite is missing.
fn study_again(profile: Profile, imported: bool, session: &Session) -> Result<Option<PathBuf>> {
    step("the 2023 study's experiment");
    let mut missing = doctor::missing_for_tomcat();
    if !imported {
        missing.push("the study's words: run cargo xtask import ssp2023".to_owned());
    }
    if !missing.is_empty() {
        eprintln!("left out; it needs {}", missing.join("; "));
        return Ok(None);
    }
    let path = Path::new(STUDY);
    let options = match profile {
        // As many requests as the study sent.
        Profile::Default => RunOptions::default(),
        Profile::Paper => RunOptions {
            launches: Some(10),
            ..RunOptions::default()
        },
        Profile::Smoke => profile.options(&Definition::read(path)?),
    };
    experiment(path, profile, &options, session).map(Some)
}

/// Imports the 2023 study where it is missing, and returns whether it is imported now.
fn study() -> bool {
    if paths::study_is_there() {
        eprintln!("{} is imported already", paths::STUDY);
        return true;
    }
    match import::fetch_and_convert() {
        Ok(()) => true,
        Err(error) => {
            eprintln!("continuing without the study: {error:#}");
            false
        }
    }
}

fn step(name: &str) {
    eprintln!("== {name}");
}
