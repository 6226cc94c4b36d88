//! `cargo xtask tidy`: the invariants of ARCHITECTURE.md, checked.

mod citation;
mod dependencies;
mod nix;
mod notebooks;
mod recorded;
mod sources;

use anyhow::{Context, Result, bail, ensure};

use crate::programs::Program;

/// A file of the project, with its text.
pub(crate) struct File {
    /// From the project's folder, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Checks every invariant and lists each breach with its file, what was expected and what to do.
///
/// # Errors
/// When one does not hold, or the project's files cannot be read.
pub(crate) fn run() -> Result<()> {
    let paths = listed()?;
    let sizes: Vec<_> = paths.iter().map(|path| (path.clone(), size(path))).collect();
    let files = texts(&paths);
    let mut breaches = Vec::new();
    breaches.extend(sources::unsafe_only_where_allowed(&files));
    breaches.extend(sources::unsafe_forbidden_elsewhere(&files));
    breaches.extend(sources::analysis_is_pure(&files));
    breaches.extend(sources::short_files(&files));
    breaches.extend(dependencies::members_in_order(&files)?);
    breaches.extend(dependencies::each_with_a_reason(&files));
    breaches.extend(dependencies::parquet_in_dataset_only(&files));
    breaches.extend(dependencies::xtask_is_light()?);
    breaches.extend(notebooks::thin(&files)?);
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

/// Everything that is or is about to be in the repository.
fn listed() -> Result<Vec<String>> {
    let listed = Program::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("tidy looks at the files that git knows")?;
    let paths: Vec<String> = listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    ensure!(
        !paths.is_empty(),
        "git lists no files here: run this in a clone of the repository"
    );
    Ok(paths)
}

/// A file deleted but not yet committed is still listed.
fn size(path: &str) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Those that are text: a picture or a recording is none.
fn texts(paths: &[String]) -> Vec<File> {
    let text = |path: &String| String::from_utf8(std::fs::read(path).ok()?).ok();
    let files = paths.iter().filter_map(|path| {
        Some(File {
            path: path.clone(),
            text: text(path)?,
        })
    });
    files.collect()
}
