//! `bench run`: all launches of an experiment, resumed where an earlier one was stopped, and the manifest at the end.

pub(crate) mod availability;
mod controls;
pub(crate) mod cost;
mod folder;
mod host_load;
mod manifest;
pub(crate) mod requirements;
pub(crate) mod revision;
mod run_context;
mod stopping_rule;
mod words;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail, ensure};
use engines::{Image, Owner, Stop};
use indicatif::{ProgressBar, ProgressStyle};
use isolation::LaunchControlGroups;
use loadgen::CpuLatencyGuard;
use model::{Condition, Experiment, FactorLevel, IsolationLevel, LaunchRecord, ServerUnderTest, Topology};

use crate::command_line::run_options::{Options, experiments};
use crate::launch::container::application::ApplicationBackend;
use crate::launch::container::backend::ContainerBackend;
use crate::launch::container::{Engines, Ready};
use crate::launch::context::{Launch, stem};
use crate::launch::driver;
use crate::launch::installation::Setting;
use crate::launch::local::child::run_in_child;
use crate::launch::local::control_groups::{self, Groups};
use crate::launch::local::spec::LaunchSpec;
use crate::launch::order::Order;
use crate::run::availability::{Access, Levels};
use crate::run::cost::Cost;
use crate::run::folder::{Folder, Plan};
use crate::run::host_load::HostLoadReading;
use crate::run::manifest::{manifest, now_unix_ns};
use crate::run::run_context::{Engaged, bring_in, image, take_out};
use crate::run::stopping_rule::Precision;
use crate::signals::stop_flag;

/// Runs an experiment, or all cells of a grid: launch 0 of every cell, then launch 1 of every cell, and so on.
pub(crate) fn run(options: &Options) -> Result<()> {
    let stopped = stop_flag()?;
    let mut experiments = experiments(options)?;
    let setting = Setting::find(options.hook.as_deref())?;
    let engines = &options.engines;
    let invalid = if let [one] = &mut experiments[..]
        && one.cell.is_empty()
    {
        let experiment = experiments.remove(0);
        carry_out(experiment, &options.out, &setting, engines, &stopped)?
    } else {
        grid(experiments, &options.out, &setting, engines, &stopped)?
    };
    println!("again with: {}", std::env::args().collect::<Vec<_>>().join(" "));
    ensure!(
        !options.strict || invalid == 0,
        "--strict: {invalid} launches failed a check; their records in {} say which",
        options.out.display()
    );
    Ok(())
}

/// All launches of an experiment, those that are finished excepted, and the manifest. How many are invalid.
pub(crate) fn carry_out(
    experiment: Experiment,
    out: &Path,
    setting: &Setting,
    engines: &Engines,
    stopped: &Stop,
) -> Result<usize> {
    let mut run = Underway::begin(experiment, out, setting, engines, stopped)?;
    eprintln!("to {}: {}", out.display(), run.cost());
    let bar = progress(run.cost().launches);
    let measured = (0..run.folder.plan.experiment.launches).try_for_each(|launch| run.measure(launch, &bar, stopped));
    bar.finish_and_clear();
    run.leave();
    measured?;
    run.close()
}

/// The same for each cell of a grid, in folders of their own within one, where `grid.json` says that all are there.
fn grid(
    experiments: Vec<Experiment>,
    out: &Path,
    setting: &Setting,
    engines: &Engines,
    stopped: &Stop,
) -> Result<usize> {
    let cells: Vec<Vec<FactorLevel>> = experiments.iter().map(|one| one.cell.clone()).collect();
    let mut runs = Vec::new();
    for one in experiments {
        let folder = out.join(FactorLevel::folder_name(&one.cell));
        match Underway::begin(one, &folder, setting, engines, stopped) {
            Ok(run) => runs.push(run),
            Err(error) => {
                runs.iter().for_each(Underway::leave);
                return Err(error);
            }
        }
    }
    let bar = progress(runs.iter().map(|run| run.cost().launches).sum());
    let all: Cost = runs.iter().map(Underway::cost).sum();
    eprintln!("to {}, {} cells: {all}", out.display(), cells.len());
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
        "no cell can be measured here; the reasons stand above"
    );
    let most = runs
        .iter()
        .map(|run| run.folder.plan.experiment.launches)
        .max()
        .unwrap_or(0);
    let measured =
        (0..most).try_for_each(|launch| runs.iter_mut().try_for_each(|run| run.measure(launch, &bar, stopped)));
    bar.finish_and_clear();
    runs.iter().for_each(Underway::leave);
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

/// A run that has begun.
struct Underway<'a> {
    folder: Folder,
    levels: Levels,
    setting: Engaged<'a>,
    precision: Precision,
    records: Vec<LaunchRecord>,
    /// Why no further launch is needed.
    ended: Option<String>,
}

impl<'a> Underway<'a> {
    fn begin(
        experiment: Experiment,
        out: &Path,
        setting: &'a Setting,
        engines: &Engines,
        stopped: &Stop,
    ) -> Result<Self> {
        let mut levels: Levels = experiment
            .conditions
            .iter()
            .map(|&condition| match requirements::lacking(&experiment, condition) {
                Some(reason) => (condition, Err(reason)),
                None => (condition, availability::best(condition, engines, stopped)),
            })
            .collect();
        let precision = Precision::new(experiment.clone());
        let plan = Plan {
            experiment,
            hook_sha256: dataset::sha256(&setting.hook)?,
            started_unix_ns: now_unix_ns(),
        };
        let folder = Folder::open(out, plan)?;
        for left in isolation::remove_abandoned_groups()? {
            eprintln!("removed {}, which a killed run had left", left.display());
        }
        let words = words::compile(&folder.plan.experiment, &folder.path)?;
        let mut setting = Engaged {
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
        bring_in(&levels, &mut setting)?;
        Ok(Self {
            folder,
            levels,
            setting,
            precision,
            records: Vec::new(),
            ended: None,
        })
    }

    fn available(&self) -> impl Iterator<Item = (Condition, &Access)> {
        self.levels
            .iter()
            .filter_map(|(condition, access)| Some((*condition, access.as_ref().ok()?)))
    }

    /// The most that it can take, finished launches among it.
    fn cost(&self) -> Cost {
        Cost::of(
            &self.folder.plan.experiment,
            self.available().map(|(condition, _)| condition),
        )
    }

    /// This launch in every condition, unless there have been enough.
    fn measure(&mut self, launch: u32, bar: &ProgressBar, stopped: &AtomicBool) -> Result<()> {
        if self.ended.is_some() || launch >= self.folder.plan.experiment.launches {
            return Ok(());
        }
        let mut records = Vec::new();
        for (condition, access) in self.available() {
            bar.set_message(format!(
                "{} {}",
                FactorLevel::folder_name(&self.folder.plan.experiment.cell),
                stem(condition, launch)
            ));
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

    /// Leaves the engines as they were.
    fn leave(&self) {
        take_out(&self.levels, &self.setting);
    }

    /// Writes the manifest. How many launches are invalid.
    fn close(self) -> Result<usize> {
        let nothing = self.records.is_empty().then(|| reasons(&self.levels));
        let alone = self.folder.plan.experiment.cell.is_empty();
        if let Some(ended) = &self.ended {
            println!("{ended}");
        }
        let invalid = self.records.iter().filter(|launch| !launch.valid).count();
        let manifest = manifest(&self.folder, &self.levels, &self.setting, self.records, self.ended)?;
        dataset::write_manifest(&self.folder.path, &manifest)?;
        println!("wrote {}", self.folder.path.join("manifest.json").display());
        match nothing {
            // Of a grid, other cells may have been measured.
            Some(reasons) if !alone => eprintln!("not run: {}: {reasons}", self.folder.path.display()),
            Some(reasons) => bail!("no condition can be had here; {reasons}"),
            None => {}
        }
        Ok(invalid)
    }
}

/// Why conditions are not had.
fn reasons(levels: &Levels) -> String {
    let reasons = levels
        .iter()
        .filter_map(|(condition, access)| Some(format!("{condition}: {}", access.as_ref().err()?)));
    reasons.collect::<Vec<_>>().join("; ")
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
    let run = folder.run_id();
    // No longer than the launch: the next may be of a cell that leaves the processors as they are.
    let _awake = folder.plan.experiment.load.keep_awake.then(CpuLatencyGuard::acquire);
    let load = HostLoadReading::now();
    let result = match (access, &setting.image) {
        (Access::Local(place, level, _), _) => {
            local(folder, (*place, *level), launch, setting, unfinished.path())
                // The groups live as long as the value that holds them.
                .and_then(|(spec, _held)| run_in_child(&spec, stopped))
        }
        (Access::Engine(ready), Some(image)) => contained(
            &Launch {
                run: &run,
                experiment: &folder.plan.experiment,
                condition,
                number: launch,
                order: Order::draw(
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
        (Access::Engine(_), None) => bail!("no image was made"),
    };
    let result = result.and_then(|mut record: LaunchRecord| {
        let here = matches!(access, Access::Local(..)) || condition == Condition::Docker;
        record.host_load = load.filter(|_| here).and_then(|load| load.until_now());
        let record = controls::hold(&folder.plan.experiment, unfinished.path(), record)?;
        unfinished.finish(&record)?;
        Ok(record)
    });
    result.with_context(|| {
        format!("launch {launch} of {condition}; finished launches are kept, the same command goes on")
    })
}

/// Runs a launch in containers, or on copies of an application.
fn contained(launch: &Launch<'_>, run: &str, (ready, image): (&Ready, &Image)) -> Result<LaunchRecord> {
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
    folder: &Folder,
    (place, level): (Topology, IsolationLevel),
    launch: u32,
    setting: &Engaged<'_>,
    unfinished: &Path,
) -> Result<(LaunchSpec, Option<LaunchControlGroups>)> {
    let without_limits = setting.limits_by.as_ref().err().cloned();
    let (held, groups) = match without_limits {
        Some(_) => (None, Groups::default()),
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
    // Draws on standard error, and only where that is a terminal.
    let bar = ProgressBar::new(launches);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} launches, {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar.tick();
    bar
}

/// Returns the index of a grid's cells.
fn grid_index(cells: &[Vec<FactorLevel>]) -> dataset::GridIndex {
    let cells = cells.iter().map(|cell| dataset::CellRecord {
        folder: FactorLevel::folder_name(cell).into(),
        levels: cell.iter().map(|one| (one.factor.clone(), one.level.clone())).collect(),
    });
    dataset::GridIndex { cells: cells.collect() }
}
