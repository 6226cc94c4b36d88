//! `runner cluster`: prepares the engine of a condition, and lists or removes the resources of runs in it.

use anyhow::{Result, ensure};
use engines::Stop;
use model::Condition;

use crate::launch::container::{self, EngineOptions, ReadyEngine};
use crate::launch::installation::Installation;

/// The command line of `runner cluster`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ClusterCleanupCommand {
    /// Check that the engine of a condition answers, and load the image
    Up(ClusterTarget),
    /// List the resources of all runs
    Status(ClusterTarget),
    /// Remove the resources of all runs, also of killed runs, and the control groups of killed runs
    Down(ClusterTarget),
}

/// A condition and its engine.
#[derive(Debug, clap::Args)]
pub(crate) struct ClusterTarget {
    /// The condition
    #[arg(default_value = "docker")]
    condition: Condition,
    #[command(flatten)]
    engines: EngineOptions,
}

/// Runs the verb.
///
/// # Errors
/// If the engine does not answer, or refuses.
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
        "{} leaves nothing behind after a launch: there is nothing to prepare or to list",
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

/// Removes all resources. A resource that cannot be removed is an error at the end.
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
