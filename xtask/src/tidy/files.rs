//! The files of the project as git lists them.

use anyhow::{Context, Result, ensure};

use crate::programs::Program;

/// A text file of the project.
pub(super) struct TrackedFile {
    /// From the project's folder, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// The paths of all files that are, or are about to be, in the repository.
///
/// # Errors
/// When git fails or lists nothing.
pub(super) fn paths() -> Result<Vec<String>> {
    let listed = Program::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("tidy checks the files that git lists")?;
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

/// The size of a file in bytes; 0 for a file that is deleted and not yet committed, which git still lists.
pub(super) fn size(path: &str) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The text files among the paths: pictures and recordings are left out.
pub(super) fn texts(paths: &[String]) -> Vec<TrackedFile> {
    let text = |path: &String| String::from_utf8(std::fs::read(path).ok()?).ok();
    let files = paths.iter().filter_map(|path| {
        Some(TrackedFile {
            path: path.clone(),
            text: text(path)?,
        })
    });
    files.collect()
}
