//! Blind trials: `cargo xtask challenge` examines the instrument with delays that the measuring side does not know.
//!
//! [`begin`] draws the delay of each trial and seals the list. [`examine`] measures each trial by the ordinary runner: two
//! servers load sealed objects, one without a delay and one with the drawn delay. A process that knows the folder of the run
//! and nothing else answers with intervals of the effects on median and mean. [`open`] compares the answers with the truth.
#![forbid(unsafe_code)]

mod answer;
mod dose;
mod folder;
mod object;
mod opening;
mod outcome;
mod peers;
mod sealed_list;
mod sealed_pair;
mod trial;
mod truth;

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

pub use dose::{DELAYS, DelayShare, SealedDelay};
pub use opening::open;
pub use sealed_list::{AWAKE, NOT_AWAKE, SealedList, SealedTrial};
pub use trial::Instrument;

use folder::ChallengeFolder;
use peers::PeerExaminees;
use trial::Examiner;

/// Draws the trials of a new challenge by the operating system's random numbers, seals the list, and returns the hash of the
/// sealed list. Continues the challenge that the folder already holds.
///
/// # Errors
/// If the folder cannot be written, or holds something else or a changed list.
pub fn begin(path: &Path, trials: usize, delays: &[DelayShare]) -> Result<String> {
    if !path.exists() {
        let list = SealedList::draw(trials, delays, &mut UnwrapErr(SysRng))?;
        ChallengeFolder::create(path, &list)?;
    }
    Ok(ChallengeFolder::open(path)?.list_sha256)
}

/// Measures all trials that are not finished. `installed` is the folder of other load generators that are not in PATH; without it
/// no other load generator takes part.
///
/// # Errors
/// If a trial fails. Finished trials are kept.
pub fn examine(path: &Path, instrument: &Instrument, installed: Option<&Path>) -> Result<()> {
    let mut folder = ChallengeFolder::open(path)?;
    let missing = folder.missing();
    let last_cpu = std::thread::available_parallelism()?.get() - 1;
    let peers = PeerExaminees::find(installed, last_cpu);
    if missing.iter().any(|trial| trial.with_peers) {
        for note in &peers.notes {
            eprintln!("{note}");
        }
    }
    let examiner = Examiner::new(instrument, peers)?;
    let bar = ProgressBar::new(folder.list.trials.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} trials, {eta} left")?);
    bar.set_position((folder.list.trials.len() - missing.len()) as u64);
    for trial in &missing {
        examiner.examine(&mut folder, trial)?;
        bar.inc(1);
        if !std::io::stderr().is_terminal() {
            eprintln!("trial {} of {} is finished", trial.number + 1, folder.list.trials.len());
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Answers one trial: reads the folder of its run and writes the intervals to `out`.
///
/// # Errors
/// If the run cannot be read, or lacks a control.
pub fn answer(run: &Path, out: &Path) -> Result<()> {
    Ok(dataset::write_json(out, &answer::answer(run)?)?)
}
