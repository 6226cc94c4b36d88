//! Versions of what made a run.

use std::collections::BTreeMap;
use std::process::Command;

/// The git revision of the tree, with `-dirty` where it has changes; `None` outside of a checkout.
pub(crate) fn git() -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=40"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The tools, by version or checksum.
pub(crate) fn tools(hook_sha256: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("runner".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("hook_sha256".to_owned(), hook_sha256.to_owned()),
    ])
}
