//! Confining to one processor.

use std::fs;

use agent::Place;
use anyhow::{Context as _, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// One of the processors that this container may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Processor {
    First,
    Last,
    /// Neither the first nor the last, where there is another one; else the first.
    Aside,
    /// Whichever the kernel chooses.
    Any,
}

/// Confines this process and all that it will start, and tells where it is then.
pub(crate) fn confine(choice: Processor) -> Result<Place> {
    let own = Pid::from_raw(0);
    let allowed = sched_getaffinity(own).context("cannot ask for the allowed processors")?;
    let numbers: Vec<usize> = (0..CpuSet::count())
        .filter(|&number| allowed.is_set(number).unwrap_or(false))
        .collect();
    let chosen = match choice {
        Processor::First | Processor::Any => numbers.first(),
        Processor::Last => numbers.last(),
        Processor::Aside => numbers.get(1).filter(|_| numbers.len() > 2).or(numbers.first()),
    };
    let processor = *chosen.context("this container may use no processor")?;
    if choice != Processor::Any {
        let mut set = CpuSet::new();
        set.set(processor)?;
        sched_setaffinity(own, &set).context("cannot move to a processor")?;
    }
    let path = "/proc/sys/kernel/random/boot_id";
    let boot_id = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    Ok(Place {
        processor,
        boot_id: boot_id.trim().to_owned(),
    })
}
