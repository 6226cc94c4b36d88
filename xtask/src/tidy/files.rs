//! The files of the project as git lists them.

use anyhow::{Context, Result, ensure};

use crate::programs::Program;

/// A text file of the project.
pub(super) struct TrackedFile {
    /// From the project's folder, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl TrackedFile {
    #[cfg(test)]
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (path, text) = (path.to_owned(), text.to_owned());
        Self { path, text }
    }
}

/// The paths of all files that are, or are about to be, in the repository.
///
/// # Errors
/// When git fails or lists nothing.
pub(crate) fn paths() -> Result<Vec<String>> {
    let listed = Program::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("listing the project's files by git")?;
    let paths = listed.split('\0').filter(|path| !path.is_empty());
    let paths: Vec<String> = paths.map(str::to_owned).collect();
    ensure!(
        !paths.is_empty(),
        "git lists no files here: run this in a clone of the repository"
    );
    Ok(paths)
}

/// The text files among the paths: pictures and recordings are left out.
pub(super) fn texts(paths: &[String]) -> Vec<TrackedFile> {
    let read = |path: &String| {
        let text = std::fs::read_to_string(path).ok()?;
        Some(TrackedFile {
            path: path.clone(),
            text,
        })
    };
    paths.iter().filter_map(read).collect()
}
