//! `cargo xtask tidy`: checks the invariants that ARCHITECTURE.md lists.

mod citation;
mod crates;
mod cycles;
mod dependencies;
mod files;
mod hosts;
mod nix;
mod notebooks;
mod recorded;
mod references;
mod sources;
mod types;

use anyhow::{Result, bail};

#[derive(clap::Args)]
pub(crate) struct TidyCommand {
    /// Check only that no modules of a crate need each other in a cycle, and print every edge of a cycle
    #[arg(long)]
    cycles: bool,
    /// Check only that no two types of the workspace have the same name
    #[arg(long, conflicts_with = "cycles")]
    types: bool,
}

/// Checks the invariants and prints a line for each breach: the file, what was expected, what to do.
///
/// # Errors
/// When an invariant does not hold, or the project's files cannot be read.
pub(crate) fn run(command: &TidyCommand) -> Result<()> {
    if command.cycles {
        return cycles_alone();
    }
    if command.types {
        return types_alone();
    }
    all()
}

/// Checks every invariant.
///
/// # Errors
/// As [`run`].
pub(crate) fn all() -> Result<()> {
    let paths = files::paths()?;
    let sizes: Vec<_> = paths.iter().map(|path| (path.clone(), files::size(path))).collect();
    let files = files::texts(&paths);
    let mut breaches = Vec::new();
    breaches.extend(sources::unsafe_only_where_allowed(&files));
    breaches.extend(sources::unsafe_forbidden_elsewhere(&files));
    breaches.extend(sources::pure(&|path| std::fs::read_to_string(path).ok())?);
    breaches.extend(cycles::in_workspace()?.iter().map(cycles::Cycle::in_full));
    breaches.extend(types::repeated()?);
    breaches.extend(hosts::unnamed(&files));
    breaches.extend(dependencies::members_in_order(&files)?);
    breaches.extend(dependencies::each_with_a_reason(&files));
    breaches.extend(dependencies::parquet_in_dataset_only(&files));
    breaches.extend(dependencies::xtask_is_light()?);
    breaches.extend(notebooks::without_functions(&files)?);
    breaches.extend(nix::lock_agrees(&files)?);
    breaches.extend(nix::no_git_sources(&files));
    breaches.extend(nix::paths_are_tracked(&files));
    breaches.extend(citation::agree(&files)?);
    breaches.extend(recorded::small(&sizes));
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} invariants do not hold", breaches.len());
    }
    println!("tidy: {} files, every invariant holds", files.len());
    Ok(())
}

fn cycles_alone() -> Result<()> {
    let found = cycles::in_workspace()?;
    for cycle in &found {
        println!("{}", cycle.in_full());
    }
    if !found.is_empty() {
        bail!("{} cycles among the modules of crates", found.len());
    }
    println!("no cycle among the modules of any crate");
    Ok(())
}

fn types_alone() -> Result<()> {
    let found = types::repeated()?;
    for breach in &found {
        println!("{breach}");
    }
    if !found.is_empty() {
        bail!("{} names stand for more than one type", found.len());
    }
    println!("every type has a name of its own");
    Ok(())
}
