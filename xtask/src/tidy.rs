//! `cargo xtask tidy`: checks the invariants that ARCHITECTURE.md lists.

mod citation;
mod crates;
mod cycles;
mod dependencies;
pub(crate) mod files;
mod hosts;
mod recorded;
mod references;
mod registered;
mod sources;
mod types;

use anyhow::{Result, bail};

/// Checks the invariants and prints a line for each breach: the file, what was expected, what to do.
///
/// # Errors
/// When an invariant does not hold, or the project's files cannot be read.
pub(crate) fn run() -> Result<()> {
    let paths = files::paths()?;
    let files = files::texts(&paths);
    let mut breaches = sources::pure(&crates::from_disk)?;
    breaches.extend(cycles::in_workspace()?);
    breaches.extend(types::repeated()?);
    breaches.extend(hosts::unnamed(&files));
    breaches.extend(dependencies::each_with_a_reason(&files));
    breaches.extend(citation::agree(&files));
    // git also lists a file that is deleted and not yet committed; its size counts as 0.
    let size = |path: &str| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    breaches.extend(recorded::small(&paths, size));
    breaches.extend(registered::hashes()?);
    breaches.extend(registered::ledger()?);
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} invariants do not hold", breaches.len());
    }
    println!("tidy: {} files, every invariant holds", files.len());
    Ok(())
}
