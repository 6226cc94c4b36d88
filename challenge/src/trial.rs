//! One trial: two sealed objects, the ordinary run, the answer.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use model::{Experiment, GridExtent, PreloadedObject, parse_definition};

use crate::folder::{ChallengeFolder, answer_file, peers_file, trial_folder, truth_file};
use crate::object::UnsealedObject;
use crate::peers::PeerExaminees;
use crate::sealed_list::SealedTrial;
use crate::sealed_pair::{BASELINE, SEALED, SealedPair};
use crate::truth::{TrialTruth, by_launch};

/// The programs and files that all trials share.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// The folder of the programs `runner`, `sut`, `loadgen` and `challenge`.
    pub binaries: PathBuf,
    /// The project's hook, for the controls.
    pub hook: PathBuf,
    /// The built object whose copies are sealed.
    pub sealed_hook: PathBuf,
    /// The definition of a trial.
    pub definition: PathBuf,
}

/// What the trials of a challenge need, read once.
pub(crate) struct Examiner<'a> {
    instrument: &'a Instrument,
    object: UnsealedObject,
    experiment: Experiment,
    peers: PeerExaminees,
}

impl<'a> Examiner<'a> {
    /// Reads the object and the definition.
    ///
    /// # Errors
    /// If one of them is missing or of another form.
    pub(crate) fn new(instrument: &'a Instrument, peers: PeerExaminees) -> Result<Self> {
        let file = instrument.definition.display();
        let text = fs::read_to_string(&instrument.definition).with_context(|| format!("cannot read {file}"))?;
        let mut experiments = parse_definition(&text, GridExtent::Default).with_context(|| format!("{file}"))?;
        ensure!(experiments.len() == 1, "{file} is a grid; expected one experiment");
        let experiment = experiments.remove(0);
        for name in [BASELINE, SEALED] {
            let arm = experiment.arm(name);
            ensure!(
                arm.is_some_and(|arm| arm.preload.is_some()),
                "{file}: expected an arm {name} with the treatment preload"
            );
        }
        Ok(Self {
            object: UnsealedObject::read(&instrument.sealed_hook)?,
            instrument,
            experiment,
            peers,
        })
    }

    /// Measures a trial from its beginning, writes the answer and the truth, and records both.
    ///
    /// # Errors
    /// If a program fails. The trial is then not finished.
    pub(crate) fn examine(&self, folder: &mut ChallengeFolder, trial: &SealedTrial) -> Result<()> {
        let begun = Instant::now();
        let place = folder.path.join(trial_folder(trial));
        if place.exists() {
            fs::remove_dir_all(&place).with_context(|| format!("cannot remove {}", place.display()))?;
        }
        fs::create_dir(&place).with_context(|| format!("cannot make {}", place.display()))?;
        let load = &self.experiment.load;
        let launches = self.experiment.launches;
        let telemetry = format!("hook-challenge-{}-{:03}", &folder.list_sha256[..12], trial.number);
        let seal = |records| SealedPair::seal(&self.object, &place, &telemetry, trial.delay, records);
        let pair = seal(u32::try_from(u64::from(launches) * load.rounds)?)?;
        let definition = place.join("definition.toml");
        let text = toml::to_string(&self.definition(trial, &pair))?;
        dataset::write_file(&definition, text.as_bytes())?;
        let run = place.join("run");
        let mut runner = self.program("runner");
        runner.arg("run").arg(&definition).arg("--out").arg(&run);
        runner.arg("--hook").arg(&self.instrument.hook);
        finish(runner, &place.join("runner.log"))?;
        let mut answer = self.program("challenge");
        answer.arg("answer").arg("--run").arg(&run);
        answer.arg("--out").arg(folder.path.join(answer_file(trial)));
        finish(answer, &place.join("answer.log"))?;
        let mut truth = TrialTruth {
            seconds: begun.elapsed().as_secs_f64(),
            launches: by_launch(
                pair.held_ns()?.each_ref().map(Vec::as_slice),
                launches,
                (load.rounds, load.warm_up_rounds),
            )?,
            peers: Default::default(),
        };
        drop(pair);
        if trial.with_peers {
            let sut = self.instrument.binaries.join("sut");
            let (answers, truths) = self.peers.examine(&sut, &place, || seal(self.peers.most_requests()))?;
            dataset::write_json(&folder.path.join(peers_file(trial)), &answers)?;
            truth.peers = truths;
        }
        dataset::write_json(&folder.path.join(truth_file(trial)), &truth)?;
        folder.finish(trial)
    }

    /// The definition of a trial. It differs from trial to trial in the seed, in the paths of both objects, and in whether
    /// processors are kept awake.
    fn definition(&self, trial: &SealedTrial, pair: &SealedPair) -> Experiment {
        let mut experiment = self.experiment.clone();
        experiment.seed = u64::from(trial.seed);
        experiment.load.keep_awake = trial.kept_awake;
        for (name, path) in [(BASELINE, &pair.objects[0]), (SEALED, &pair.objects[1])] {
            for arm in experiment.arms.iter_mut().filter(|arm| arm.name == name) {
                arm.preload = Some(PreloadedObject {
                    path: path.clone(),
                    sha256: None,
                    environment: Default::default(),
                });
            }
        }
        experiment
    }

    /// A program of the project, without variables that a hook reads.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.instrument.binaries.join(name));
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"READHOOK_") || name == "LD_PRELOAD" {
                command.env_remove(name);
            }
        }
        command
    }
}

/// Runs a program to its end with its output in a file.
fn finish(mut command: Command, log: &Path) -> Result<()> {
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let status = command
        .stdin(std::process::Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .with_context(|| format!("cannot start {command:?}; build it by `cargo xtask build`"))?;
    ensure!(
        status.success(),
        "{command:?}: {status}; finished trials are kept, the same command goes on. {}:\n{}",
        log.display(),
        fs::read_to_string(log).unwrap_or_default()
    );
    Ok(())
}
