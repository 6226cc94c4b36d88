//! The registered plan and the ledger of recordings.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use crate::programs::Program;

const PLAN: &str = "experiments/plan.toml";
const LEDGER: &str = "data/reference/ledger.jsonl";

/// The hashes of the registered plan; `model` reads and validates the rest.
#[derive(serde::Deserialize)]
struct PlanHashes {
    files: BTreeMap<String, String>,
    run: Vec<DefinitionHash>,
}

#[derive(serde::Deserialize)]
struct DefinitionHash {
    definition: String,
    sha256: String,
}

/// Checks the hashes of the plan against the files.
///
/// # Errors
/// When the plan cannot be read.
pub(super) fn hashes() -> Result<Vec<String>> {
    let text = std::fs::read_to_string(PLAN).with_context(|| format!("reading {PLAN}"))?;
    let sha256 = |path: &str| Some(hex::encode(Sha256::digest(std::fs::read(path).ok()?)));
    differing(&text, sha256)
}

/// Returns a line for each file whose hash is not the plan's; `sha256` is the hash of a file, `None` if there is no file.
fn differing(plan: &str, sha256: impl Fn(&str) -> Option<String>) -> Result<Vec<String>> {
    let plan: PlanHashes = toml::from_str(plan).with_context(|| format!("{PLAN} is no registered plan"))?;
    let definitions = plan.run.iter().map(|run| (&run.definition, &run.sha256));
    let wrong = definitions
        .chain(&plan.files)
        .filter(|(path, planned)| sha256(path).as_ref() != Some(*planned));
    let lines = wrong.map(|(path, planned)| {
        let found = sha256(path).unwrap_or_else(|| "no file".to_owned());
        format!(
            "{PLAN}: {path} has SHA-256 {planned}, found {found}; if the change is meant, `cargo xtask record --refresh` makes \
             a new plan, and recordings by the old one become exploratory"
        )
    });
    Ok(lines.collect())
}

/// Checks that the ledger of the commit is the beginning of the ledger in the working tree.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) fn ledger() -> Result<Option<String>> {
    let listed = Program::new("git")
        .args(["ls-tree", "--name-only", "HEAD", "--", LEDGER])
        .output()?;
    if listed.trim().is_empty() {
        return Ok(None);
    }
    let committed = Program::new("git").args(["show", &format!("HEAD:{LEDGER}")]).output()?;
    let now = if Path::new(LEDGER).exists() {
        std::fs::read_to_string(LEDGER).with_context(|| format!("reading {LEDGER}"))?
    } else {
        String::new()
    };
    Ok(shortened(&committed, &now))
}

/// Returns the breach if lines of `committed` are changed or missing in `now`.
fn shortened(committed: &str, now: &str) -> Option<String> {
    let mut kept = now.lines();
    let line = committed.lines().position(|line| kept.next() != Some(line))?;
    Some(format!(
        "{LEDGER}: line {} is not the commit's; lines are only added: restore it by `git checkout {LEDGER}`, and add the new lines",
        line + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_another_hash_than_the_plans_is_named() {
        let plan = "[files]\n\"a.toml\" = \"1\"\n[[run]]\nname = \"r\"\ndefinition = \"b.toml\"\nsha256 = \"2\"\n";
        let of = |a: &'static str, b: Option<&'static str>| {
            differing(plan, move |path| {
                if path == "a.toml" {
                    Some(a.to_owned())
                } else {
                    b.map(str::to_owned)
                }
            })
            .unwrap()
        };
        assert_eq!(of("1", Some("2")), [""; 0]);
        let found = of("3", None);
        assert!(found[0].contains("b.toml has SHA-256 2, found no file"), "{found:?}");
        assert!(found[1].contains("a.toml has SHA-256 1, found 3"), "{found:?}");
    }

    #[test]
    fn a_ledger_only_grows() {
        assert_eq!(shortened("a\nb\n", "a\nb\n"), None);
        assert_eq!(shortened("a\nb\n", "a\nb\nc\n"), None);
        for now in ["", "a\n", "b\na\n", "a\nx\nb\n", "a\nb c\n"] {
            assert!(shortened("a\nb\n", now).is_some(), "{now:?}");
        }
    }
}
