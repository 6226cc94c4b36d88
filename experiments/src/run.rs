//! `bench run`: all launches of an experiment, resumed where an earlier one was stopped, and the manifest at the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use clusters::container::{Owner, Stop};
use clusters::{Condition, Image, LaunchGroups, Level, Place};
use dataset::{Clock, ConditionRecord, Enforcement, HostFacts, LaunchRecord, MANIFEST_VERSION, Manifest, file_record};
use indicatif::{ProgressBar, ProgressStyle};
use serde::de::DeserializeOwned;

use crate::contained::{self, Engines, Job};
use crate::definition::Experiment;
use crate::folder::{Folder, Plan};
use crate::limits::{self, Groups};
use crate::options::{Options, experiment};
use crate::places::Access;
use crate::precision::Precision;
use crate::setting::Setting;
use crate::spec::{LaunchSpec, stem};
use crate::words::{self, WORDS};
use crate::{child, controls, places};

/// Where the conditions are had, or why one is not.
type Levels = BTreeMap<Condition, Result<Access, String>>;

/// Runs an experiment.
pub(crate) fn run(options: &Options) -> Result<()> {
    let stopped = stop_flag()?;
    let experiment = experiment(options)?;
    let setting = Setting::find(options.hook.as_deref())?;
    carry_out(
        experiment,
        &options.out,
        &setting,
        &options.engines,
        options.strict,
        &stopped,
    )
}

/// A flag that SIGINT and SIGTERM set.
pub(crate) fn stop_flag() -> Result<Stop> {
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stopped))?;
    }
    Ok(stopped)
}

/// All launches of an experiment, those that are finished excepted, and the manifest.
pub(crate) fn carry_out(
    experiment: Experiment,
    out: &Path,
    setting: &Setting,
    engines: &Engines,
    strict: bool,
    stopped: &Stop,
) -> Result<()> {
    let levels: Levels = experiment
        .conditions
        .iter()
        .map(|&condition| (condition, places::best(condition, engines, stopped)))
        .collect();
    let plan = Plan {
        experiment,
        hook_sha256: dataset::sha256(&setting.hook)?,
        started_unix_ns: now_unix_ns(),
    };
    let folder = Folder::open(out, plan)?;
    for left in clusters::sweep()? {
        eprintln!("removed {}, which a killed run had left", left.display());
    }
    let words = words::compile(&folder.plan.experiment, &folder.path)?;
    let setting = Engaged {
        run: folder.id(),
        image: image(&levels, setting, words.as_deref())?,
        words,
        limits_by: limits::enforcement(&folder.plan.experiment),
        setting,
    };
    bring_in(&levels, &setting)?;
    let measured = measure(&folder, &levels, &setting, stopped);
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
    dataset::write_manifest(&folder.path, &manifest(&folder, &levels, &setting, launches, ended)?)?;
    println!("wrote {}", folder.path.join("manifest.json").display());
    println!("again with: {}", std::env::args().collect::<Vec<_>>().join(" "));
    ensure!(
        !strict || invalid == 0,
        "--strict: {invalid} launches failed a check; their records in {} say which",
        folder.path.join("launches").display()
    );
    Ok(())
}

/// The setting of one run.
struct Engaged<'a> {
    setting: &'a Setting,
    /// By which what the run makes in engines is known.
    run: String,
    /// For conditions in containers.
    image: Option<Image>,
    words: Option<PathBuf>,
    /// Of local conditions.
    limits_by: Result<Enforcement, String>,
}

/// The image, where a condition needs one.
fn image(levels: &Levels, setting: &Setting, words: Option<&Path>) -> Result<Option<Image>> {
    let needed = levels.values().any(|access| matches!(access, Ok(Access::Engine(_))));
    needed
        .then(|| contained::image(&setting.binaries, &setting.hook, words))
        .transpose()
}

/// Prepares the engines: nothing of an earlier runner, and the image.
fn bring_in(levels: &Levels, setting: &Engaged<'_>) -> Result<()> {
    for access in levels.values() {
        if let (Ok(Access::Engine(ready)), Some(image)) = (access, &setting.image) {
            ready.sweep(&setting.run)?;
            ready.engine().load(image)?;
        }
    }
    Ok(())
}

/// Leaves the engines as they were; what the run came to is more important than an error here.
fn take_out(levels: &Levels, setting: &Engaged<'_>) {
    for access in levels.values() {
        if let (Ok(Access::Engine(ready)), Some(image)) = (access, &setting.image)
            && let Err(error) = ready.engine().unload(image)
        {
            eprintln!("{error}; `cargo xtask cluster down` removes what is left");
        }
    }
}

/// Launch 0 of every condition, then launch 1 of every condition, and so on; with why it ended before the last of them.
fn measure(
    folder: &Folder,
    levels: &Levels,
    setting: &Engaged<'_>,
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
    setting: &Engaged<'_>,
    stopped: &AtomicBool,
) -> Result<LaunchRecord> {
    let unfinished = folder.begin(condition, launch)?;
    let result = match (access, &setting.image) {
        (Access::Local(place, level, _), _) => {
            local(folder, (*place, *level), launch, setting, &unfinished)
                // The groups live as long as what is held here.
                .and_then(|(spec, _held)| launched(&spec, stopped))
        }
        (Access::Engine(ready), Some(image)) => Job {
            condition,
            experiment: &folder.plan.experiment,
            owner: Owner {
                run: setting.run.clone(),
                launch,
            },
            folder: &unfinished,
            manifests: ready.manifests.as_deref(),
        }
        .run(ready.engine(), image),
        (Access::Engine(_), None) => bail!("no image was made"),
    };
    let result = result.and_then(|record: LaunchRecord| {
        let record = controls::hold(&folder.plan.experiment, &unfinished, record)?;
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
    setting: &Engaged<'_>,
    unfinished: &Path,
) -> Result<(LaunchSpec, Option<LaunchGroups>)> {
    let without_limits = setting.limits_by.as_ref().err().cloned();
    let (held, groups) = match without_limits {
        Some(_) => (None, Groups::default()),
        None => limits::enforce(&folder.plan.experiment, &setting.run)?,
    };
    let plain = setting
        .setting
        .launch(&folder.plan.experiment, (place, level), launch, unfinished)?;
    let spec = LaunchSpec {
        words: setting.words.clone(),
        groups,
        without_limits,
        ..plain
    };
    Ok((spec, held))
}

/// What a launch in a child came to.
pub(crate) fn launched<T: DeserializeOwned>(spec: &LaunchSpec, stopped: &AtomicBool) -> Result<T> {
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

/// A condition that was asked for, with what enforces limits there.
fn condition_record(condition: Condition, access: &Result<Access, String>, setting: &Engaged<'_>) -> ConditionRecord {
    let (limits_by, missing) = match access {
        Ok(Access::Local(_, _, missing)) => {
            let no_limits = setting
                .limits_by
                .as_ref()
                .err()
                .map(|reason| format!("limits: {reason}"));
            let missing: Vec<String> = missing.iter().cloned().chain(no_limits).collect();
            (setting.limits_by.clone().unwrap_or_default(), missing)
        }
        Ok(Access::Engine(_)) => (Enforcement::Engine, Vec::new()),
        Err(_) => (Enforcement::None, Vec::new()),
    };
    ConditionRecord {
        name: condition.name().to_owned(),
        level: access.as_ref().map_or("none", Access::level).to_owned(),
        limits_by,
        missing: (!missing.is_empty()).then(|| missing.join("; ")),
        not_run: access.as_ref().err().cloned(),
    }
}

fn manifest(
    folder: &Folder,
    levels: &Levels,
    setting: &Engaged<'_>,
    launches: Vec<LaunchRecord>,
    ended: Option<String>,
) -> Result<Manifest> {
    let mut names = vec!["plan.json".to_owned()];
    names.extend(setting.words.as_ref().map(|_| WORDS.to_owned()));
    for launch in &launches {
        names.push(launch.file.clone());
        names.extend(launch.hook_calls.clone());
        names.extend(launch.monitor.as_ref().map(|monitor| monitor.file.clone()));
        names.push(launch.own_file());
    }
    let files = names
        .iter()
        .map(|name| Ok(file_record(&folder.path, name)?))
        .collect::<Result<_>>()?;
    let experiment = &folder.plan.experiment;
    let conditions = levels
        .iter()
        .map(|(condition, access)| condition_record(*condition, access, setting));
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
