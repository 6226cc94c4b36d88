//! `runner measure`: the latency that foreign hooks add to a server. Each arm first runs alone in a preflight. The arms without a
//! fault are then measured as an experiment, with a dataset of the same format.

pub(crate) mod command;
pub(crate) mod experiments;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use dataset::{PREFLIGHT_FILE, PreflightHook, PreflightRecord};
use engines::Stop;
use model::{Experiment, IsolationLevel, PreloadedObject};

use crate::launch::container::EngineOptions;
use crate::launch::installation::Installation;
use crate::launch::local::child::run_in_child;
use crate::launch::local::spec::LaunchTask;
use crate::load;
use crate::preflight::subject::ForeignServer;
use crate::preflight::{PreflightResult, compare};
use crate::run::RunEnvironment;
use crate::run::availability;
use crate::signals::stop_flag;
use crate::starts;
use command::{ForeignHook, ForeignHookCommand, TOPOLOGY};
use experiments::{BARE, CONTROL, OWN};

/// Runs the preflights, measures the hooks without a fault, and writes a run.
///
/// # Errors
/// If the server does not work without a hook, or a launch fails.
pub(crate) fn run(options: &ForeignHookCommand) -> Result<()> {
    let stopped = stop_flag()?;
    let setting = Installation::find(options.own_hook.as_deref())?;
    let subject = ForeignServer::read(&options.server, &options.command)?;
    let hooks = hooks(&options.hooks)?;
    ensure!(
        !options.out.join(PREFLIGHT_FILE).exists(),
        "{} holds a measurement already; choose another --out",
        options.out.display()
    );
    fs::create_dir_all(&options.out).with_context(|| format!("cannot make {}", options.out.display()))?;
    let (level, _) = availability::best_level(TOPOLOGY).map_err(anyhow::Error::msg)?;
    let preflights = Preflights {
        experiment: experiments::for_preflights(&subject, &hooks),
        setting: &setting,
        level,
        folder: &options.out,
        stopped: &stopped,
        starts: options.starts,
    };
    preflights.experiment.validate()?;
    let (record, slowest) = preflights.all(&subject.name, &hooks)?;
    dataset::write_json(&options.out.join(PREFLIGHT_FILE), &record)?;
    let measurable: Vec<ForeignHook> = hooks
        .iter()
        .zip(&record.hooks)
        .filter(|(_, result)| result.fault.is_none())
        .map(|(hook, _)| hook.clone())
        .collect();
    if measurable.is_empty() {
        println!(
            "no hook can be measured; {} has the reasons",
            options.out.join(PREFLIGHT_FILE).display()
        );
        return Ok(());
    }
    let calibrated = record.no_calibration.is_none();
    let mut experiment = experiments::for_measuring(&subject, &measurable, calibrated, &slowest, options);
    if options.load {
        experiment = experiments::under_load(experiment, &subject, &slowest);
    }
    experiment.validate()?;
    let engines = EngineOptions::default();
    let environment = RunEnvironment::new(&setting, &engines, &stopped);
    load::all(vec![experiment], &options.out, environment)?;
    Ok(())
}

/// Returns the hooks, each named after its file.
///
/// # Errors
/// If a file does not exist.
fn hooks(paths: &[PathBuf]) -> Result<Vec<ForeignHook>> {
    let mut hooks: Vec<ForeignHook> = Vec::new();
    for given in paths {
        // The memory map contains the path after all links are resolved.
        let path = given
            .canonicalize()
            .with_context(|| format!("the hook {} is not there", given.display()))?;
        if !path.is_file() {
            bail!("{} is no file; expected a shared object", given.display());
        }
        let file = given.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let like = hooks.iter().filter(|hook| hook.name.starts_with(&file)).count();
        hooks.push(ForeignHook {
            name: if like == 0 {
                file
            } else {
                format!("{file} ({})", like + 1)
            },
            preload: PreloadedObject {
                sha256: Some(dataset::sha256(&path)?),
                path,
                environment: BTreeMap::new(),
            },
        });
    }
    Ok(hooks)
}

/// The preflights of all arms.
struct Preflights<'a> {
    experiment: Experiment,
    setting: &'a Installation,
    level: IsolationLevel,
    folder: &'a Path,
    stopped: &'a Stop,
    /// Starts of a program by which the cost of loading a hook is measured.
    starts: u32,
}

impl Preflights<'_> {
    /// Runs all preflights. Returns their record and the result of the slowest arm without a fault.
    fn all(&self, server: &str, hooks: &[ForeignHook]) -> Result<(PreflightRecord, PreflightResult)> {
        let (bare, again) = (self.bare(BARE)?, self.bare(CONTROL)?);
        let mut slowest = bare.clone();
        let mut results = Vec::new();
        let mut warnings: Vec<String> = compare::varying(&bare, &again).into_iter().collect();
        for hook in hooks {
            let mut result = self.hooked(&hook.name, bare.ready_s)?;
            if result.fault.is_none() {
                result.fault = compare::difference(&bare, &again, &result);
            }
            if result.fault.is_none() && result.rtt_ns > slowest.rtt_ns {
                slowest = result.clone();
            }
            let mut start = None;
            if result.fault.is_none() {
                match starts::measure(&hook.preload.path, self.starts) {
                    Ok(found) => start = Some(found),
                    Err(error) => {
                        warnings.push(format!("{}: the cost of its start is not known: {error:#}", hook.name));
                    }
                }
            }
            results.push(PreflightHook {
                name: hook.name.clone(),
                path: hook.preload.path.clone(),
                fault: result.fault,
                start,
            });
        }
        let own = self.hooked(OWN, bare.ready_s)?;
        let record = PreflightRecord {
            server: server.to_owned(),
            hooks: results,
            no_calibration: experiments::calibration(&own).err(),
            warnings,
        };
        Ok((record, slowest))
    }

    /// Runs the preflight of an arm without a hook.
    ///
    /// # Errors
    /// If the arm has a fault.
    fn bare(&self, arm: &str) -> Result<PreflightResult> {
        let result = self.launch(&self.experiment, arm)?;
        match &result.fault {
            Some(fault) => bail!("without any hook, {fault}"),
            None => Ok(result),
        }
    }

    /// Runs the preflight of an arm with a hook. The server must answer within a limit that depends on its time
    /// without a hook.
    fn hooked(&self, arm: &str, bare_ready_s: f64) -> Result<PreflightResult> {
        let mut experiment = self.experiment.clone();
        experiments::hurry(&mut experiment, bare_ready_s);
        self.launch(&experiment, arm)
    }

    fn launch(&self, experiment: &Experiment, arm: &str) -> Result<PreflightResult> {
        let folder = self.folder.join(".preflight");
        fs::create_dir(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let mut spec = self.setting.launch(experiment, (TOPOLOGY, self.level), 0, &folder)?;
        spec.task = LaunchTask::Try(arm.to_owned());
        let result = run_in_child(&spec, self.stopped).with_context(|| format!("preflight of the arm {arm}"));
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        result
    }
}
