//! `bench run`: all launches of an experiment, resumed where an earlier one was stopped, and the manifest at the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use clusters::container::Owner;
use clusters::{Condition, Image, Level, Place};
use dataset::{Clock, ConditionRecord, HostFacts, LaunchRecord, MANIFEST_VERSION, Manifest, file_record};
use indicatif::{ProgressBar, ProgressStyle};
use loadgen::Schedule;

use crate::contained::{self, Engines, Job};
use crate::definition::Experiment;
use crate::folder::{Folder, Plan};
use crate::places::Access;
use crate::precision::Precision;
use crate::spec::{Cpus, LaunchSpec, stem};
use crate::{child, places};

/// What the command line adds to a definition.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Definition, such as experiments/overhead.toml
    experiment: PathBuf,
    /// Folder of the run; one that is unfinished goes on
    #[arg(long)]
    out: PathBuf,
    /// These conditions, instead of the experiment's
    #[arg(long, value_delimiter = ',')]
    conditions: Vec<Condition>,
    /// Launches of each condition, instead of the definition's
    #[arg(long)]
    launches: Option<u32>,
    /// Rounds of each launch, instead of the definition's
    #[arg(long)]
    rounds: Option<u64>,
    /// Order of the requests, instead of the definition's
    #[arg(long, value_enum)]
    schedule: Option<Order>,
    /// Stop when half of each contrast's 95 % interval is at most this, as 100ns or 0.2us; not before ten launches
    #[arg(long, value_parser = duration_ns)]
    precision: Option<f64>,
    /// Begin no further launch after this time, as 90s or 10min
    #[arg(long, value_parser = duration_ns)]
    budget: Option<f64>,
    /// Fail, when all is measured, if a launch failed one of its checks
    #[arg(long)]
    strict: bool,
    /// The hook; beside this program's folder if not given
    #[arg(long)]
    hook: Option<PathBuf>,
    #[command(flatten)]
    engines: Engines,
}

/// The two designs that are compared with each other.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Order {
    Interleaved,
    Sequential,
}

/// Where the conditions are had, or why one is not.
type Levels = BTreeMap<Condition, Result<Access, String>>;

/// Runs an experiment.
pub(crate) fn run(options: &Options) -> Result<()> {
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stopped))?;
    }
    let experiment = experiment(options)?;
    let binaries = binaries()?;
    let hook = hook(options.hook.as_deref(), &binaries)?;
    let cpus = Cpus::choose(&clusters::allowed_cpus()?).context("this process may run on no processor")?;
    let levels: Levels = experiment
        .conditions
        .iter()
        .map(|&condition| (condition, places::best(condition, &options.engines, &stopped)))
        .collect();
    let plan = Plan {
        experiment,
        hook_sha256: dataset::sha256(&hook)?,
        started_unix_ns: now_unix_ns(),
    };
    let folder = Folder::open(&options.out, plan)?;
    let setting = Setting {
        run: folder.id(),
        image: image(&levels, &binaries, &hook)?,
        binaries,
        hook,
        cpus,
    };
    bring_in(&levels, &setting)?;
    let measured = measure(&folder, &levels, &setting, &stopped);
    take_out(&levels, &setting);
    let (launches, ended) = measured?;
    ensure!(
        !launches.is_empty(),
        "no condition can be had here; `cargo xtask doctor` says why"
    );
    let invalid = launches.iter().filter(|launch| !launch.valid).count();
    if let Some(ended) = &ended {
        println!("{ended}");
    }
    dataset::write_manifest(&folder.path, &manifest(&folder, &levels, launches, ended)?)?;
    println!("wrote {}", folder.path.join("manifest.json").display());
    println!("again with: {}", std::env::args().collect::<Vec<_>>().join(" "));
    ensure!(
        !options.strict || invalid == 0,
        "--strict: {invalid} launches failed a check; their records in {} say which",
        folder.path.join("launches").display()
    );
    Ok(())
}

/// The most launches where a precision is asked for and no number of launches.
const MOST_LAUNCHES: u32 = 200;

/// A time with its unit, in ns.
fn duration_ns(text: &str) -> Result<f64, String> {
    let digits = text
        .find(|letter: char| letter.is_ascii_alphabetic() || letter == 'µ')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ns = match unit {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        "h" => 3600e9,
        _ => return Err("expected a number with a unit: ns, us, ms, s, min, h".to_owned()),
    };
    match number.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number * unit_ns),
        _ => Err(format!("{number:?}: expected a number above 0")),
    }
}

struct Setting {
    /// By which what the run makes in engines is known.
    run: String,
    /// For conditions in containers.
    image: Option<Image>,
    binaries: PathBuf,
    hook: PathBuf,
    cpus: Cpus,
}

/// The image, where a condition needs one.
fn image(levels: &Levels, binaries: &Path, hook: &Path) -> Result<Option<Image>> {
    let needed = levels.values().any(|access| matches!(access, Ok(Access::Engine(_))));
    needed.then(|| contained::image(binaries, hook)).transpose()
}

/// Prepares the engines: nothing of an earlier runner, and the image.
fn bring_in(levels: &Levels, setting: &Setting) -> Result<()> {
    for access in levels.values() {
        if let (Ok(Access::Engine(ready)), Some(image)) = (access, &setting.image) {
            ready.sweep(&setting.run)?;
            ready.engine().load(image)?;
        }
    }
    Ok(())
}

/// Leaves the engines as they were; what the run came to is more important than an error here.
fn take_out(levels: &Levels, setting: &Setting) {
    for access in levels.values() {
        if let (Ok(Access::Engine(ready)), Some(image)) = (access, &setting.image)
            && let Err(error) = ready.engine().unload(image)
        {
            eprintln!("{error}; `cargo xtask cluster down` removes what is left");
        }
    }
}

fn experiment(options: &Options) -> Result<Experiment> {
    let mut experiment = Experiment::read(&options.experiment)?;
    if !options.conditions.is_empty() {
        experiment.conditions.clone_from(&options.conditions);
    }
    experiment.launches = options.launches.unwrap_or(experiment.launches);
    if let Some(order) = options.schedule {
        experiment.load.schedule = match order {
            Order::Interleaved => Schedule::Interleaved,
            Order::Sequential => Schedule::Sequential,
        };
    }
    experiment.precision_ns = options.precision.or(experiment.precision_ns);
    experiment.budget_s = options.budget.map(|budget_ns| budget_ns / 1e9).or(experiment.budget_s);
    if experiment.precision_ns.is_some() && options.launches.is_none() && options.precision.is_some() {
        experiment.launches = experiment.launches.max(MOST_LAUNCHES);
    }
    if let Some(rounds) = options.rounds {
        // The warm-up keeps its share.
        experiment.load.warm_up_rounds = experiment.load.warm_up_rounds * rounds / experiment.load.rounds.max(1);
        experiment.load.rounds = rounds;
    }
    experiment
        .validate()
        .with_context(|| options.experiment.display().to_string())?;
    Ok(experiment)
}

/// The folder of the project's binaries: this program's own.
pub(crate) fn binaries() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let folder = own.parent().unwrap_or(Path::new("/")).to_owned();
    for name in ["sut", "loadgen"] {
        ensure!(
            folder.join(name).exists(),
            "{name} is not in {}; build it by `cargo xtask build`",
            folder.display()
        );
    }
    Ok(folder)
}

/// The hook that was asked for, or else the one that is built beside the binaries.
pub(crate) fn hook(asked: Option<&Path>, binaries: &Path) -> Result<PathBuf> {
    let beside = binaries.join("../hook/libreadhook.so");
    let path = asked.unwrap_or(&beside);
    // The memory map has the resolved name.
    path.canonicalize().with_context(|| {
        format!(
            "the hook {} is not there; build it by `cargo xtask build`",
            path.display()
        )
    })
}

/// Launch 0 of every condition, then launch 1 of every condition, and so on; with why it ended before the last of them.
fn measure(
    folder: &Folder,
    levels: &Levels,
    setting: &Setting,
    stopped: &AtomicBool,
) -> Result<(Vec<LaunchRecord>, Option<String>)> {
    let experiment = &folder.plan.experiment;
    let available: Vec<(Condition, &Access)> = levels
        .iter()
        .filter_map(|(condition, access)| Some((*condition, access.as_ref().ok()?)))
        .collect();
    let total = u64::from(experiment.launches) * available.len() as u64;
    let bar = progress(total);
    let mut records = Vec::new();
    let mut precision = Precision::new(experiment);
    let mut ended = None;
    for launch in 0..experiment.launches {
        for &(condition, access) in &available {
            bar.set_message(stem(condition, launch));
            let record = match folder.finished(condition, launch)? {
                Some(record) => record,
                None => one(folder, condition, access, launch, setting, stopped)?,
            };
            precision.add(&folder.path, &record)?;
            records.push(record);
            bar.inc(1);
        }
        ended = precision.enough(launch + 1);
        if ended.is_some() {
            break;
        }
    }
    bar.finish_and_clear();
    Ok((records, ended))
}

fn one(
    folder: &Folder,
    condition: Condition,
    access: &Access,
    launch: u32,
    setting: &Setting,
    stopped: &AtomicBool,
) -> Result<LaunchRecord> {
    let unfinished = folder.begin(condition, launch)?;
    let result = match (access, &setting.image) {
        (Access::Local(place, level), _) => {
            local(folder, (*place, *level), launch, setting, &unfinished).and_then(|spec| launched(&spec, stopped))
        }
        (Access::Engine(ready), Some(image)) => Job {
            condition,
            experiment: &folder.plan.experiment,
            owner: Owner {
                run: setting.run.clone(),
                launch,
            },
            folder: &unfinished,
        }
        .run(ready.engine(), image),
        (Access::Engine(_), None) => bail!("no image was made"),
    };
    let result = result.and_then(|record| {
        folder.finish(&unfinished, &record)?;
        Ok(record)
    });
    if result.is_err() {
        // The first error is the one to report.
        _ = std::fs::remove_dir_all(&unfinished);
    }
    result.with_context(|| {
        format!("launch {launch} of {condition}; finished launches are kept, the same command goes on")
    })
}

fn local(
    folder: &Folder,
    (place, level): (Place, Level),
    launch: u32,
    setting: &Setting,
    unfinished: &Path,
) -> Result<LaunchSpec> {
    Ok(LaunchSpec {
        experiment: serde_json::to_value(&folder.plan.experiment)?,
        place,
        level,
        launch,
        folder: unfinished.to_owned(),
        binaries: setting.binaries.clone(),
        hook: setting.hook.clone(),
        cpus: setting.cpus,
    })
}

fn launched(spec: &LaunchSpec, stopped: &AtomicBool) -> Result<LaunchRecord> {
    let path = spec.folder.join("launch.json");
    dataset::write_json(&path, spec)?;
    let mut child = child::launch(&path)?;
    let status = loop {
        if stopped.load(Ordering::Relaxed) {
            // Its place and all processes in it end with it.
            child.kill()?;
            child.wait()?;
            bail!("stopped by a signal");
        }
        match child.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(50)),
        }
    };
    if !status.success() {
        bail!("the launch failed; what it said stands above");
    }
    serde_json::from_str(&child::output(&mut child)?).context("the launch printed no record")
}

fn manifest(folder: &Folder, levels: &Levels, launches: Vec<LaunchRecord>, ended: Option<String>) -> Result<Manifest> {
    let mut names = vec!["plan.json".to_owned()];
    for launch in &launches {
        names.push(launch.file.clone());
        names.extend(launch.hook_calls.clone());
        names.push(launch.own_file());
    }
    let files = names
        .iter()
        .map(|name| Ok(file_record(&folder.path, name)?))
        .collect::<Result<_>>()?;
    let experiment = &folder.plan.experiment;
    let conditions = levels.iter().map(|(condition, access)| ConditionRecord {
        name: condition.name().to_owned(),
        level: access.as_ref().map_or("none", Access::level).to_owned(),
        not_run: access.as_ref().err().cloned(),
    });
    let mut tools = crate::revision::tools(&folder.plan.hook_sha256);
    for (condition, access) in levels {
        if let Ok(Access::Engine(ready)) = access {
            let facts = ready.facts.iter();
            tools.extend(facts.map(|(name, value)| (format!("{condition}: {name}"), value.clone())));
        }
    }
    Ok(Manifest {
        schema_version: MANIFEST_VERSION,
        run_id: folder
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        experiment: experiment.name.clone(),
        plan: serde_json::to_value(experiment)?,
        seed: experiment.seed,
        clock: Clock::Monotonic,
        git_revision: crate::revision::git(),
        command_line: std::env::args().collect(),
        started_unix_ns: folder.plan.started_unix_ns,
        finished_unix_ns: now_unix_ns(),
        host: HostFacts::collect(),
        tools,
        conditions: conditions.collect(),
        launches,
        files,
        notes: ended.into_iter().collect(),
    })
}

fn progress(launches: u64) -> ProgressBar {
    // Draws on standard error, and only where that is a terminal.
    let bar = ProgressBar::new(launches);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} launches, {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar.tick();
    bar
}

fn now_unix_ns() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
}
