//! Confinement to one processor.

use std::fs;

use agent::CpuPlacement;
use anyhow::{Context as _, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// A choice among the processors that this container may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ProcessorChoice {
    First,
    Last,
    /// Neither the first nor the last, if there are more than two; else the first.
    Between,
    /// No confinement.
    Any,
}

/// Confines this process, and all processes that it will start, to a processor, and returns the placement.
pub(crate) fn confine(choice: ProcessorChoice) -> Result<CpuPlacement> {
    let own = Pid::from_raw(0);
    let allowed = sched_getaffinity(own).context("cannot read the allowed processors")?;
    let numbers: Vec<usize> = (0..CpuSet::count())
        .filter(|&number| allowed.is_set(number).unwrap_or(false))
        .collect();
    let chosen = match choice {
        ProcessorChoice::First | ProcessorChoice::Any => numbers.first(),
        ProcessorChoice::Last => numbers.last(),
        ProcessorChoice::Between => numbers.get(1).filter(|_| numbers.len() > 2).or(numbers.first()),
    };
    let processor = *chosen.context("this container may use no processor")?;
    if choice != ProcessorChoice::Any {
        let mut set = CpuSet::new();
        set.set(processor)?;
        sched_setaffinity(own, &set).context("cannot move to a processor")?;
    }
    let path = "/proc/sys/kernel/random/boot_id";
    let boot_id = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    Ok(CpuPlacement {
        processor,
        boot_id: boot_id.trim().to_owned(),
    })
}
