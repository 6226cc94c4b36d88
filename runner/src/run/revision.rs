//! The versions of the project and of the hook that made a run.

use std::collections::BTreeMap;
use std::process::Command;

use model::Revision;

/// Returns the git revision of the tree; `None` outside of a checkout.
pub(crate) fn git() -> Option<Revision> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=40"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = output.status.success().then_some(text.trim())?;
    let (commit, tree_clean) = match text.strip_suffix("-dirty") {
        Some(commit) => (commit, false),
        None => (text, true),
    };
    Some(Revision {
        commit: commit.to_owned(),
        tree_clean,
    })
}

/// Returns the versions of the tools, and the checksum of the hook.
pub(crate) fn tools(hook_sha256: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("runner".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("hook_sha256".to_owned(), hook_sha256.to_owned()),
    ])
}
