//! `runner measure`: the cost of foreign hooks for a server. Each arm goes through a preflight alone. The arms that work are
//! then measured like those of any experiment, into the same kind of dataset.

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
use crate::preflight::subject::ForeignServer;
use crate::preflight::{PreflightResult, compare};
use crate::run::availability;
use crate::run::carry_out;
use crate::signals::stop_flag;
use command::{ForeignHook, ForeignHookCommand, TOPOLOGY};
use experiments::{BARE, CONTROL, Calibration, OWN};

/// Preflights, measures, and leaves a run.
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
    let tries = Preflights {
        experiment: experiments::for_trials(&subject, &hooks),
        setting: &setting,
        level,
        folder: &options.out,
        stopped: &stopped,
    };
    tries.experiment.validate()?;
    let (tried, slowest) = tries.all(&subject.name, &hooks)?;
    dataset::write_json(&options.out.join(PREFLIGHT_FILE), &tried)?;
    let measurable: Vec<ForeignHook> = hooks
        .iter()
        .zip(&tried.hooks)
        .filter(|(_, tried)| tried.fault.is_none())
        .map(|(hook, _)| hook.clone())
        .collect();
    if measurable.is_empty() {
        println!(
            "no hook can be measured; {} says why",
            options.out.join(PREFLIGHT_FILE).display()
        );
        return Ok(());
    }
    let calibration = if tried.no_calibration.is_none() {
        Calibration::Pair
    } else {
        Calibration::None
    };
    let experiment = experiments::for_measuring(&subject, &measurable, calibration, &slowest, options);
    experiment.validate()?;
    carry_out(experiment, &options.out, &setting, &EngineOptions::default(), &stopped)?;
    Ok(())
}

/// The hooks with their names, which are those of their files.
fn hooks(paths: &[PathBuf]) -> Result<Vec<ForeignHook>> {
    let mut hooks: Vec<ForeignHook> = Vec::new();
    for given in paths {
        // The memory map has the resolved name.
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

/// How one arm after the other is tried.
struct Preflights<'a> {
    experiment: Experiment,
    setting: &'a Installation,
    level: IsolationLevel,
    folder: &'a Path,
    stopped: &'a Stop,
}

impl Preflights<'_> {
    /// What all came to, and the slowest of the arms that work.
    fn all(&self, server: &str, hooks: &[ForeignHook]) -> Result<(PreflightRecord, PreflightResult)> {
        let (bare, again) = (self.bare(BARE)?, self.bare(CONTROL)?);
        let mut slowest = bare.clone();
        let mut tried = Vec::new();
        for hook in hooks {
            let mut trial = self.one(&hook.name, bare.ready_s)?;
            if trial.fault.is_none() {
                trial.fault = compare::difference(&bare, &again, &trial);
            }
            if trial.fault.is_none() && trial.rtt_ns > slowest.rtt_ns {
                slowest = trial.clone();
            }
            tried.push(PreflightHook {
                name: hook.name.clone(),
                path: hook.preload.path.clone(),
                fault: trial.fault,
            });
        }
        let own = self.one(OWN, bare.ready_s)?;
        let tried = PreflightRecord {
            server: server.to_owned(),
            hooks: tried,
            no_calibration: experiments::calibration(&own).err(),
            warnings: compare::varying(&bare, &again).into_iter().collect(),
        };
        Ok((tried, slowest))
    }

    /// An arm without a hook, which must work.
    fn bare(&self, arm: &str) -> Result<PreflightResult> {
        let trial = self.launch(&self.experiment, arm)?;
        match &trial.fault {
            Some(fault) => bail!("without any hook, {fault}"),
            None => Ok(trial),
        }
    }

    /// An arm with a hook, which need not take much longer to start than without.
    fn one(&self, arm: &str, bare_ready_s: f64) -> Result<PreflightResult> {
        let mut experiment = self.experiment.clone();
        experiments::hurry(&mut experiment, bare_ready_s);
        self.launch(&experiment, arm)
    }

    fn launch(&self, experiment: &Experiment, arm: &str) -> Result<PreflightResult> {
        let folder = self.folder.join(".trial");
        fs::create_dir(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let mut spec = self.setting.launch(experiment, (TOPOLOGY, self.level), 0, &folder)?;
        spec.task = LaunchTask::Try(arm.to_owned());
        let trial = run_in_child::<PreflightResult>(&spec, self.stopped).with_context(|| format!("trying {arm}"));
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        trial
    }
}
