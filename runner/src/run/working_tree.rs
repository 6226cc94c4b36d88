//! The git checkout from which a registered plan is recorded.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The folder of all recordings.
pub(crate) const RECORDINGS: &str = "data/reference";

/// The checkout in the current folder. Recordings may change its ledger and the folders of their runs.
#[derive(Clone, Debug)]
pub(crate) struct WorkingTree {
    /// The paths that may differ from the commit, from the checkout's folder.
    pub(crate) may_differ: Vec<PathBuf>,
}

impl WorkingTree {
    /// Returns the hash of the commit that is checked out.
    ///
    /// # Errors
    /// If the current folder is no git checkout, has no commit, or has changes outside of the paths that may differ.
    pub(crate) fn clean_commit(&self) -> Result<String> {
        let commit = git(&["rev-parse", "--verify", "HEAD"])
            .context("a registered plan is recorded from a git checkout, so that each recording names its commit")?;
        let status = git(&[
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
        ])?;
        // Each entry is two letters, a space and a path.
        let changed = status.split('\0').filter_map(|entry| entry.get(3..));
        let changed: Vec<&str> = changed.filter(|path| !self.may_change(path)).collect();
        ensure!(
            changed.is_empty(),
            "the tree differs from commit {}, from which a plan is recorded: {}; commit or undo these changes",
            commit.trim(),
            changed.join(", ")
        );
        Ok(commit.trim().to_owned())
    }

    fn may_change(&self, path: &str) -> bool {
        self.may_differ
            .iter()
            .any(|allowed| PathBuf::from(path).starts_with(allowed))
    }

    /// Checks that git knows each file, so that the commit contains it.
    ///
    /// # Errors
    /// Names the first file that git does not know.
    pub(crate) fn contains(&self, files: impl IntoIterator<Item = PathBuf>) -> Result<()> {
        for file in files {
            let shown = file.display().to_string();
            let known = git(&["ls-files", "--error-unmatch", "--", &shown]);
            known.with_context(|| format!("{shown} is in no commit; add it to the repository"))?;
        }
        Ok(())
    }

    /// Checks that two commits differ in recordings alone.
    ///
    /// # Errors
    /// Names both commits and the first file in which they differ.
    pub(crate) fn same_but_for_recordings(&self, one: &str, other: &str) -> Result<()> {
        if one == other {
            return Ok(());
        }
        let outside = format!(":(exclude){RECORDINGS}");
        let changed = git(&["diff", "--name-only", "-z", one, other, "--", ".", &outside])?;
        let first = changed.split('\0').find(|path| !path.is_empty());
        if let Some(first) = first {
            anyhow::bail!(
                "the recording began at commit {one}, and commit {other} is checked out, which changed {first}"
            );
        }
        Ok(())
    }
}

/// Runs git in the current folder and returns its output.
fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .args(arguments)
        .output()
        .context("cannot start git")?;
    ensure!(
        output.status.success(),
        "`git {}` failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).context("git wrote no UTF-8")
}
