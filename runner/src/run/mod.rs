//! Runs all launches of an experiment, resumes a run that was stopped, and writes the manifest.

pub(crate) mod availability;
mod context;
mod controls;
pub(crate) mod cost;
pub(crate) mod folder;
mod host_load;
mod manifest;
pub(crate) mod registration;
pub(crate) mod requirements;
pub(crate) mod revision;
mod stopping_rule;
mod words;
pub(crate) mod working_tree;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use engines::{Image, Owner, Stop};
use indicatif::{ProgressBar, ProgressStyle};
use isolation::LaunchControlGroups;
use loadgen::CpuLatencyGuard;
use model::{
    CellRecord, Condition, Experiment, FactorLevel, GridIndex, IsolationLevel, LaunchRecord, ServerUnderTest, Topology,
    flagged_line,
};

use crate::launch::container::application::ApplicationBackend;
use crate::launch::container::backend::ContainerBackend;
use crate::launch::container::{EngineOptions, ReadyEngine};
use crate::launch::context::Launch;
use crate::launch::driver;
use crate::launch::installation::Installation;
use crate::launch::local::child::run_in_child;
use crate::launch::local::control_groups::{self, ProcessGroups};
use crate::launch::local::spec::LaunchSpec;
use crate::launch::order::LaunchOrder;
use crate::run::availability::{ConditionAccess, ConditionAccesses};
use crate::run::context::{RunContext, image, set_up, tear_down};
use crate::run::cost::RunCost;
use crate::run::folder::{RunFolder, RunPlan};
use crate::run::host_load::HostLoadReading;
use crate::run::manifest::{FinishedRun, now_unix_ns};
use crate::run::registration::ActiveRegistration;
use crate::run::stopping_rule::StoppingRule;

/// What all runs of one command share.
#[derive(Clone, Copy)]
pub(crate) struct RunEnvironment<'a> {
    pub(crate) setting: &'a Installation,
    pub(crate) engines: &'a EngineOptions,
    pub(crate) stopped: &'a Stop,
    /// The registered plan; `None` for a run that no plan asked for.
    pub(crate) registration: Option<ActiveRegistration<'a>>,
}

impl<'a> RunEnvironment<'a> {
    /// The environment of runs that no plan asked for.
    pub(crate) const fn new(setting: &'a Installation, engines: &'a EngineOptions, stopped: &'a Stop) -> Self {
        Self {
            setting,
            engines,
            stopped,
            registration: None,
        }
    }
}

/// Runs all launches of an experiment that are not finished, writes the manifest, and returns the number of invalid launches.
pub(crate) fn carry_out(experiment: Experiment, out: &Path, environment: RunEnvironment<'_>) -> Result<usize> {
    let stopped = environment.stopped;
    let mut run = ActiveRun::begin(experiment, out, environment)?;
    eprintln!("to {}: {}", out.display(), run.cost());
    let bar = progress(run.cost().launches);
    let measured = (0..run.folder.plan.experiment.launches).try_for_each(|launch| run.measure(launch, &bar, stopped));
    bar.finish_and_clear();
    run.leave();
    measured?;
    run.close()
}

/// Runs each cell of a grid in a folder of its own, and writes `grid.json` when all are finished. The cells `finished` were run before
/// and stand first in the index.
pub(crate) fn grid(
    experiments: Vec<Experiment>,
    finished: Vec<Vec<FactorLevel>>,
    out: &Path,
    environment: RunEnvironment<'_>,
) -> Result<usize> {
    let stopped = environment.stopped;
    let mut cells = finished;
    cells.extend(experiments.iter().map(|one| one.cell.clone()));
    let mut runs = Vec::new();
    for one in experiments {
        let folder = out.join(FactorLevel::folder_name(&one.cell));
        match ActiveRun::begin(one, &folder, environment) {
            Ok(run) => runs.push(run),
            Err(error) => {
                runs.iter().for_each(ActiveRun::leave);
                return Err(error);
            }
        }
    }
    let bar = progress(runs.iter().map(|run| run.cost().launches).sum());
    let all: RunCost = runs.iter().map(ActiveRun::cost).sum();
    eprintln!("to {}, {} cells: {all}", out.display(), runs.len());
    for run in runs.iter().filter(|run| run.available().count() > 0) {
        eprintln!(
            "  {}: {}",
            FactorLevel::folder_name(&run.folder.plan.experiment.cell),
            run.cost()
        );
    }
    for run in &runs {
        let reasons = reasons(&run.levels);
        if !reasons.is_empty() {
            eprintln!(
                "left out of {}: {reasons}",
                FactorLevel::folder_name(&run.folder.plan.experiment.cell)
            );
        }
    }
    ensure!(
        runs.iter().any(|run| run.available().count() > 0),
        "no cell can be measured on this machine; the reasons stand above"
    );
    let most = runs
        .iter()
        .map(|run| run.folder.plan.experiment.launches)
        .max()
        .unwrap_or(0);
    let measured =
        (0..most).try_for_each(|launch| runs.iter_mut().try_for_each(|run| run.measure(launch, &bar, stopped)));
    bar.finish_and_clear();
    runs.iter().for_each(ActiveRun::leave);
    measured?;
    let mut invalid = 0;
    for run in runs {
        invalid += run.close()?;
    }
    let path = out.join(dataset::GRID_FILE);
    dataset::write_json(&path, &grid_index(&cells))?;
    println!("wrote {}", path.display());
    Ok(invalid)
}

/// The measured duration of one launch in each condition, and of the preparation that all launches share.
pub(crate) struct MeasuredCost {
    /// Preparation of the run, such as its image, s.
    pub(crate) set_up_s: f64,
    /// A launch in each available condition, s.
    pub(crate) launch_s: Vec<(Condition, f64)>,
    /// The conditions that are not available, with the reasons.
    pub(crate) left_out: Vec<(Condition, String)>,
}

/// Runs launch 0 of an experiment in each condition and measures how long it takes.
///
/// # Errors
/// If the launch fails.
pub(crate) fn measured_cost(
    experiment: Experiment,
    out: &Path,
    environment: RunEnvironment<'_>,
) -> Result<MeasuredCost> {
    let begun = Instant::now();
    let run = ActiveRun::begin(experiment, out, environment)?;
    let set_up_s = begun.elapsed().as_secs_f64();
    let timed = run.available().map(|(condition, access)| {
        let begun = Instant::now();
        one(&run.folder, condition, access, 0, &run.setting, environment.stopped)?;
        Ok((condition, begun.elapsed().as_secs_f64()))
    });
    let launch_s: Result<Vec<(Condition, f64)>> = timed.collect();
    run.leave();
    let left_out = run.levels.iter().filter_map(|(condition, access)| {
        let reason = access.as_ref().err()?;
        Some((*condition, reason.clone()))
    });
    Ok(MeasuredCost {
        set_up_s,
        launch_s: launch_s?,
        left_out: left_out.collect(),
    })
}

/// A run in progress.
struct ActiveRun<'a> {
    folder: RunFolder,
    levels: ConditionAccesses,
    setting: RunContext<'a>,
    registration: Option<ActiveRegistration<'a>>,
    precision: StoppingRule,
    records: Vec<LaunchRecord>,
    /// The reason why no further launch is needed; `None` if one is needed.
    ended: Option<String>,
}

impl<'a> ActiveRun<'a> {
    fn begin(experiment: Experiment, out: &Path, environment: RunEnvironment<'a>) -> Result<Self> {
        let RunEnvironment {
            setting,
            engines,
            stopped,
            registration,
        } = environment;
        let mut levels: ConditionAccesses = experiment
            .conditions
            .iter()
            .map(|&condition| match requirements::lacking(&experiment, condition) {
                Some(reason) => (condition, Err(reason)),
                None => (condition, availability::best(condition, engines, stopped)),
            })
            .collect();
        let precision = StoppingRule::new(experiment.clone());
        let plan = RunPlan {
            experiment,
            hook_sha256: dataset::sha256(&setting.hook)?,
            started_unix_ns: now_unix_ns(),
            registration: registration.map(|active| active.registration.clone()),
        };
        let folder = RunFolder::open(out, plan, registration.map(|active| active.tree))?;
        for left in isolation::remove_abandoned_groups()? {
            eprintln!("removed {}, which a killed run had left", left.display());
        }
        let words = words::compile(&folder.plan.experiment, &folder.path)?;
        let mut setting = RunContext {
            run: folder.id(),
            image: image(&folder.plan.experiment, &mut levels, setting, words.as_deref()),
            words,
            limits_by: control_groups::enforcement(&folder.plan.experiment),
            awake: folder
                .plan
                .experiment
                .load
                .keep_awake
                .then(|| CpuLatencyGuard::acquire().map(drop)),
            setting,
        };
        set_up(&levels, &mut setting)?;
        Ok(Self {
            folder,
            levels,
            setting,
            registration,
            precision,
            records: Vec::new(),
            ended: None,
        })
    }

    fn available(&self) -> impl Iterator<Item = (Condition, &ConditionAccess)> {
        self.levels
            .iter()
            .filter_map(|(condition, access)| Some((*condition, access.as_ref().ok()?)))
    }

    /// Returns the largest cost that the run can have, finished launches included.
    fn cost(&self) -> RunCost {
        RunCost::of(
            &self.folder.plan.experiment,
            self.available().map(|(condition, _)| condition),
        )
    }

    /// Runs a launch in every condition, unless the stopping rule has ended the run.
    fn measure(&mut self, launch: u32, bar: &ProgressBar, stopped: &AtomicBool) -> Result<()> {
        if self.ended.is_some() || launch >= self.folder.plan.experiment.launches {
            return Ok(());
        }
        let mut records = Vec::new();
        for (condition, access) in self.available() {
            let cell = FactorLevel::folder_name(&self.folder.plan.experiment.cell);
            bar.set_message(format!("{cell} {condition} {launch}"));
            records.push(match self.folder.finished(condition, launch)? {
                Some(record) => record,
                None => one(&self.folder, condition, access, launch, &self.setting, stopped)?,
            });
            bar.inc(1);
        }
        for record in records {
            self.precision.add(&self.folder.path, &record)?;
            self.records.push(record);
        }
        self.ended = self.precision.enough(launch + 1);
        Ok(())
    }

    /// Removes the run's image from the engines.
    fn leave(&self) {
        tear_down(&self.levels, &self.setting);
    }

    /// Writes the manifest and returns the number of invalid launches.
    fn close(self) -> Result<usize> {
        let nothing = self.records.is_empty().then(|| reasons(&self.levels));
        let alone = self.folder.plan.experiment.cell.is_empty();
        if let Some(ended) = &self.ended {
            println!("{ended}");
        }
        let invalid = self.records.iter().filter(|launch| !launch.valid).count();
        let flagged = flagged_line(&self.records);
        let revision = match &self.registration {
            Some(active) => Some(active.revision()?),
            None => revision::git(),
        };
        let run = FinishedRun {
            folder: &self.folder,
            levels: &self.levels,
            setting: &self.setting,
            revision,
        };
        let manifest = run.manifest(self.records, self.ended)?;
        dataset::write_manifest(&self.folder.path, &manifest)?;
        println!("wrote {}", self.folder.path.join("manifest.json").display());
        let details = if invalid > 0 {
            format!("; details: cargo xtask analyze {} --flags", self.folder.path.display())
        } else {
            String::new()
        };
        println!("{flagged}{details}");
        match nothing {
            // Other cells of the same grid may have been measured.
            Some(reasons) if !alone => eprintln!("not run: {}: {reasons}", self.folder.path.display()),
            Some(reasons) => bail!("no condition is available on this machine; {reasons}"),
            None => {}
        }
        Ok(invalid)
    }
}

/// Returns the reasons why conditions are not available.
fn reasons(levels: &ConditionAccesses) -> String {
    let reasons = levels
        .iter()
        .filter_map(|(condition, access)| Some(format!("{condition}: {}", access.as_ref().err()?)));
    reasons.collect::<Vec<_>>().join("; ")
}

fn one(
    folder: &RunFolder,
    condition: Condition,
    access: &ConditionAccess,
    launch: u32,
    setting: &RunContext<'_>,
    stopped: &AtomicBool,
) -> Result<LaunchRecord> {
    let unfinished = folder.begin(condition, launch)?;
    let run = folder.run_id();
    // The guard is dropped after the launch, because the next launch can belong to a cell that does not keep
    // processors awake.
    let _awake = folder.plan.experiment.load.keep_awake.then(CpuLatencyGuard::acquire);
    let load = HostLoadReading::now();
    let result = match (access, &setting.image) {
        (ConditionAccess::Local(place, level, _), _) => {
            local(folder, (*place, *level), launch, setting, unfinished.path())
                // The control groups exist as long as the value that holds them.
                .and_then(|(spec, _held)| run_in_child(&spec, stopped))
        }
        (ConditionAccess::Engine(ready), Some(image)) => contained(
            &Launch {
                run: &run,
                experiment: &folder.plan.experiment,
                condition,
                number: launch,
                order: LaunchOrder::draw(
                    folder.plan.experiment.seed,
                    condition,
                    launch,
                    folder.plan.experiment.arms.len(),
                ),
                folder: unfinished.path(),
            },
            &setting.run,
            (ready, image),
        ),
        (ConditionAccess::Engine(_), None) => bail!("no image was made"),
    };
    let result = result.and_then(|mut record: LaunchRecord| {
        let here = matches!(access, ConditionAccess::Local(..)) || condition == Condition::Docker;
        record.host_load = load.filter(|_| here).and_then(HostLoadReading::until_now);
        let record = controls::hold(&folder.plan.experiment, unfinished.path(), record)?;
        unfinished.finish(&record)?;
        Ok(record)
    });
    result.with_context(|| {
        format!("launch {launch} of {condition}; finished launches are kept, the same command goes on")
    })
}

/// Runs a launch in containers, or on copies of an application.
fn contained(launch: &Launch<'_>, run: &str, (ready, image): (&ReadyEngine, &Image)) -> Result<LaunchRecord> {
    let owner = Owner {
        run: run.to_owned(),
        launch: launch.number,
    };
    let experiment = launch.experiment;
    if let ServerUnderTest::Application(application) = &experiment.sut {
        let checkout = ready.manifests.as_deref();
        let mut backend = ApplicationBackend::new(experiment, application, checkout, (ready, image), &owner)?;
        return driver::run(launch, &mut backend);
    }
    let mut backend = ContainerBackend::new(experiment, (ready.engine(), image), &owner, &launch.order)?;
    driver::run(launch, &mut backend)
}

fn local(
    folder: &RunFolder,
    (place, level): (Topology, IsolationLevel),
    launch: u32,
    setting: &RunContext<'_>,
    unfinished: &Path,
) -> Result<(LaunchSpec, Option<LaunchControlGroups>)> {
    let without_limits = setting.limits_by.as_ref().err().cloned();
    let (held, groups) = match without_limits {
        Some(_) => (None, ProcessGroups::default()),
        None => control_groups::enforce(&folder.plan.experiment, &setting.run)?,
    };
    let plain = setting
        .setting
        .launch(&folder.plan.experiment, (place, level), launch, unfinished)?;
    let spec = LaunchSpec {
        run: folder.run_id(),
        words: setting.words.clone(),
        groups,
        without_limits,
        ..plain
    };
    Ok((spec, held))
}

fn progress(launches: u64) -> ProgressBar {
    // The progress bar is drawn on standard error, and only on a terminal.
    let bar = ProgressBar::new(launches);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} launches, {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar.tick();
    bar
}

/// Returns the index of a grid's cells.
fn grid_index(cells: &[Vec<FactorLevel>]) -> GridIndex {
    let cells = cells.iter().map(|cell| CellRecord {
        folder: FactorLevel::folder_name(cell).into(),
        levels: cell.iter().map(|one| (one.factor.clone(), one.level.clone())).collect(),
    });
    GridIndex { cells: cells.collect() }
}
