//! `runner cluster`: a condition brought up by hand, what runs have left there, and its removal.

use anyhow::{Result, ensure};
use engines::Stop;
use model::Condition;

use crate::launch::container::{self, EngineOptions, ReadyEngine};
use crate::launch::installation::Installation;

/// What is to be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ClusterCleanupCommand {
    /// See that a condition's engine answers, and bring the image in
    Up(ClusterTarget),
    /// List everything there that a run has made
    Status(ClusterTarget),
    /// Remove everything there that a run has made, also what a killed one could not remove, and the control groups of
    /// killed runs
    Down(ClusterTarget),
}

/// Where.
#[derive(Debug, clap::Args)]
pub(crate) struct ClusterTarget {
    /// The condition
    #[arg(default_value = "docker")]
    condition: Condition,
    #[command(flatten)]
    engines: EngineOptions,
}

/// Does it.
pub(crate) fn run(verb: &ClusterCleanupCommand) -> Result<()> {
    let (ClusterCleanupCommand::Up(options)
    | ClusterCleanupCommand::Status(options)
    | ClusterCleanupCommand::Down(options)) = verb;
    let local = matches!(options.condition, Condition::Local(_));
    if matches!(verb, ClusterCleanupCommand::Down(_)) {
        for folder in isolation::remove_abandoned_groups()? {
            println!("removed control group {}", folder.display());
        }
        if local {
            return Ok(());
        }
    }
    ensure!(
        !local,
        "{} ends with the process that measures: there is nothing to bring up or to list",
        options.condition
    );
    let ready = options.engines.find(options.condition, &Stop::default())?;
    match verb {
        ClusterCleanupCommand::Up(_) => up(&ready, options.condition),
        ClusterCleanupCommand::Status(_) => status(&ready),
        ClusterCleanupCommand::Down(_) => down(&ready),
    }
}

fn up(ready: &ReadyEngine, condition: Condition) -> Result<()> {
    let setting = Installation::find(None)?;
    let image = container::own(&setting)?.image()?;
    ready.engine().load(&image)?;
    for (name, value) in &ready.facts {
        println!("{name}: {value}");
    }
    println!("{condition} is up, with the image {}", image.reference);
    Ok(())
}

fn status(ready: &ReadyEngine) -> Result<()> {
    let found = ready.engine().leftovers(None)?;
    for leftover in &found {
        let run = leftover
            .run
            .as_ref()
            .map_or_else(String::new, |run| format!(", run {run}"));
        println!("{} {}{run}", leftover.kind, leftover.name);
    }
    println!("{} found", found.len());
    Ok(())
}

/// Goes on after what cannot be removed, and says so in the end.
fn down(ready: &ReadyEngine) -> Result<()> {
    let found = ready.engine().leftovers(None)?;
    let mut refused = 0;
    for leftover in &found {
        match ready.engine().remove(leftover) {
            Ok(()) => println!("removed {} {}", leftover.kind, leftover.name),
            Err(error) => {
                refused += 1;
                eprintln!("{error}");
            }
        }
    }
    ensure!(
        refused == 0,
        "{refused} of {} could not be removed; the reasons stand above",
        found.len()
    );
    println!("{} removed", found.len());
    Ok(())
}
