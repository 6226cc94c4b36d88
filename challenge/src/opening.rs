//! Opens the seal: compares all answers with the truth, and writes the outcome.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use dataset::Run;
use report::output_files;

use crate::answer::{AnsweredEffect, TrialAnswer};
use crate::folder::{ChallengeFolder, answer_file, manifest_file, peers_file, trial_folder, truth_file};
use crate::outcome::{ChallengeOutcome, Examinee, IntervalKind, OpenedAnswer, examinees, requirements};
use crate::peers::PeerAnswers;
use crate::sealed_list::SealedTrial;
use crate::truth::{HeldLonger, TrialTruth, median_shift_ns};

/// Opens a challenge whose trials are all finished. Writes `outcome.json`, `outcome.txt` and `figures/`, and returns the text.
///
/// # Errors
/// If a trial is missing, or if the list, an answer, a truth or a manifest was changed.
pub fn open(path: &Path) -> Result<String> {
    let folder = ChallengeFolder::open(path)?;
    let missing = folder.missing();
    ensure!(
        missing.is_empty(),
        "{} of {} trials are not finished, the first is {}; the seal stays closed. Continue by `cargo xtask challenge --out {}`",
        missing.len(),
        folder.list.trials.len(),
        missing[0].number,
        path.display()
    );
    let (mut answers, mut machines, mut seconds) = (Vec::new(), BTreeSet::new(), 0.0);
    for trial in &folder.list.trials {
        let opened = OpenedTrial::read(&folder, trial).with_context(|| format!("trial {}", trial.number))?;
        machines.insert(opened.machine);
        seconds += opened.seconds;
        answers.extend(opened.answers);
    }
    let examinees = examinees(&answers)?;
    let outcome = ChallengeOutcome {
        list_sha256: folder.list_sha256.clone(),
        trials: folder.list.trials.len(),
        seconds,
        machine: machines.into_iter().collect(),
        requirements: requirements(&examinees),
        examinees,
    };
    let text = outcome.text();
    for figure in outcome.figures()? {
        output_files::write(path, &format!("figures/{}.svg", figure.name), figure.svg.as_bytes())?;
    }
    dataset::write_json(&path.join("outcome.json"), &outcome)?;
    dataset::write_file(&path.join("outcome.txt"), text.as_bytes())?;
    Ok(text)
}

/// The answers of one trial beside the truth.
struct OpenedTrial {
    answers: Vec<OpenedAnswer>,
    /// Machine and commit of the run.
    machine: String,
    /// Duration of the trial without other load generators, s.
    seconds: f64,
}

impl OpenedTrial {
    fn read(folder: &ChallengeFolder, trial: &SealedTrial) -> Result<Self> {
        let answer: TrialAnswer = folder.read(&answer_file(trial))?;
        let truth: TrialTruth = folder.read(&truth_file(trial))?;
        folder.checked(&manifest_file(trial))?;
        let run = Run::open(&folder.path.join(trial_folder(trial)).join("run"))?;
        let shift_ns = median_shift_ns(&run, trial.delay.every)?;
        let kept_awake = run.manifest.conditions.iter().all(|condition| condition.kept_awake);
        let mut answers = Vec::new();
        let mut add = |peer: Option<&str>, of_mean, interval, ends_ns, held: HeldLonger| {
            answers.push(OpenedAnswer {
                examinee: Examinee {
                    peer: peer.map(str::to_owned),
                    kept_awake,
                    of_mean,
                    interval,
                },
                delay: trial.delay,
                ends_ns,
                truth_ns: if of_mean {
                    held.mean_ns
                } else {
                    held.median_ns + shift_ns
                },
            });
        };
        let held = truth.of_run();
        for (of_mean, effect) in [(false, answer.median), (true, answer.mean)] {
            let AnsweredEffect {
                statistical_ns,
                total_ns,
                ..
            } = effect;
            add(None, of_mean, IntervalKind::Statistical, statistical_ns, held);
            add(None, of_mean, IntervalKind::Total, total_ns, held);
        }
        if trial.with_peers {
            let peers: PeerAnswers = folder.read(&peers_file(trial))?;
            for (name, answer) in &peers {
                let held = truth.peers.get(name).with_context(|| format!("no truth for {name}"))?;
                for (of_mean, ends_ns) in [(false, answer.median_ns), (true, answer.mean_ns)] {
                    add(Some(name), of_mean, IntervalKind::Statistical, ends_ns, *held);
                }
            }
        }
        let manifest = &run.manifest;
        let commit = manifest
            .revision
            .as_ref()
            .map_or_else(|| "no commit".to_owned(), ToString::to_string);
        Ok(Self {
            answers,
            machine: format!("{}, {commit}", manifest.machine.id()),
            seconds: truth.seconds,
        })
    }
}
