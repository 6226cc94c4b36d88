//! Invariants of the crates' manifests.

use anyhow::{Context, Result};

use super::files::TrackedFile;
use crate::programs::cargo;

/// The members in the order of the data flow, which is the order in which to read them.
const FLOW: [&str; 24] = [
    "hook",
    "hook/words",
    "hook/words/compile",
    "hook/core",
    "hook/telemetry",
    "hook/tests",
    "hook/fuzz",
    "hook/bench",
    "sut",
    "model",
    "loadgen",
    "loadgen/bench",
    "dataset",
    "monitor",
    "clusters/isolation",
    "clusters/agent",
    "clusters/engines",
    "clusters/provisioning",
    "runner",
    "analysis",
    "samples",
    "report",
    "report/bench",
    "xtask",
];

/// Crates that would make xtask slow to build.
const HEAVY: [&str; 8] = [
    "kube",
    "bollard",
    "k8s-openapi",
    "tokio",
    "arrow",
    "parquet",
    "resvg",
    "rtnetlink",
];

/// Checks the order of the workspace's members.
///
/// # Errors
/// When the workspace's Cargo.toml is missing.
pub(super) fn members_in_order(files: &[TrackedFile]) -> Result<Vec<String>> {
    let root = files
        .iter()
        .find(|file| file.path == "Cargo.toml")
        .context("the workspace's Cargo.toml is not among the files that git lists")?;
    let members: Vec<&str> = root
        .text
        .lines()
        .skip_while(|line| !line.starts_with("members"))
        .take_while(|line| !line.starts_with(']'))
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
        .collect();
    Ok(if members == FLOW {
        Vec::new()
    } else {
        vec![format!(
            "Cargo.toml: members are {members:?}, in the order of the flow they would be {FLOW:?}; \
             reorder them, or teach xtask/src/tidy/dependencies.rs the new one"
        )]
    })
}

/// A dependency in a manifest, and whether a comment gives its reason.
struct Dependency<'a> {
    number: usize,
    name: &'a str,
    reasoned: bool,
}

/// Reads the dependency lines of a manifest. A comment gives the reason for the lines below it up to a blank one.
fn dependencies(text: &str) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    let (mut within, mut reasoned) = (false, false);
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            within = line.trim_matches(['[', ']']).ends_with("dependencies");
            reasoned = false;
        } else if line.is_empty() {
            reasoned = false;
        } else if line.starts_with('#') {
            reasoned = true;
        } else if within && line.contains('=') {
            let end = line.find(['=', '.', ' ']).unwrap_or(line.len());
            found.push(Dependency {
                number: index + 1,
                name: line[..end].trim_matches('"'),
                reasoned: reasoned || line.contains(" # ") || inherited(line),
            });
        }
    }
    found
}

fn inherited(line: &str) -> bool {
    let line = line.replace(' ', "");
    line.contains(".workspace=true") || line.contains("workspace=true,") || line.contains("{workspace=true}")
}

fn manifests(files: &[TrackedFile]) -> impl Iterator<Item = &TrackedFile> {
    files
        .iter()
        .filter(|file| file.path == "Cargo.toml" || file.path.ends_with("/Cargo.toml"))
}

/// Finds dependencies without a reason.
pub(super) fn each_with_a_reason(files: &[TrackedFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in manifests(files) {
        for dependency in dependencies(&file.text)
            .iter()
            .filter(|dependency| !dependency.reasoned)
        {
            breaches.push(format!(
                "{}:{}: the dependency `{}` has no reason; add a comment above it",
                file.path, dependency.number, dependency.name
            ));
        }
    }
    breaches
}

/// Finds dependencies on Parquet and Arrow outside of `dataset`; the workspace's table of versions does not count.
pub(super) fn parquet_in_dataset_only(files: &[TrackedFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in manifests(files).filter(|file| !["Cargo.toml", "dataset/Cargo.toml"].contains(&file.path.as_str())) {
        for dependency in dependencies(&file.text) {
            if dependency.name == "parquet" || dependency.name.starts_with("arrow") {
                breaches.push(format!(
                    "{}:{}: `{}` belongs to dataset alone; read and write through dataset",
                    file.path, dependency.number, dependency.name
                ));
            }
        }
    }
    breaches
}

/// Finds crates among the dependencies of `xtask` that take long to build.
///
/// # Errors
/// When cargo cannot list the dependencies.
pub(super) fn xtask_is_light() -> Result<Vec<String>> {
    let tree = cargo()
        .args([
            "tree",
            "--package",
            "xtask",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
        ])
        .output()?;
    Ok(heavy(&tree))
}

fn heavy(tree: &str) -> Vec<String> {
    let mut names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .iter()
        .filter(|name| HEAVY.iter().any(|heavy| *name == heavy || name.starts_with("arrow-")))
        .map(|name| format!("xtask links `{name}`; move the work to a binary that xtask launches"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Vec<TrackedFile> {
        vec![TrackedFile {
            path: path.into(),
            text: text.into(),
        }]
    }

    #[test]
    fn a_comment_covers_the_lines_below_it_up_to_a_blank_one() {
        let text = "[package]\nname = \"x\"\n\n[dependencies]\n# Why.\na.workspace = true\nb = \"1\"\n\nc = \"1\"\n";
        let breaches = each_with_a_reason(&file("x/Cargo.toml", text));
        assert_eq!(breaches.len(), 1, "{breaches:?}");
        assert!(
            breaches[0].starts_with("x/Cargo.toml:9: the dependency `c`"),
            "{breaches:?}"
        );
    }

    #[test]
    fn parquet_is_for_dataset() {
        let text = "[dev-dependencies]\n# Why.\nparquet.workspace = true\n";
        assert_eq!(parquet_in_dataset_only(&file("report/Cargo.toml", text)).len(), 1);
        assert!(parquet_in_dataset_only(&file("dataset/Cargo.toml", text)).is_empty());
    }

    #[test]
    fn members_out_of_order_are_a_breach() {
        let listed: Vec<String> = FLOW.iter().map(|member| format!("    \"{member}\",\n")).collect();
        let text = |members: &[String]| format!("[workspace]\nmembers = [\n{}]\n", members.concat());
        assert!(
            members_in_order(&file("Cargo.toml", &text(&listed)))
                .unwrap()
                .is_empty()
        );
        let turned: Vec<String> = listed.iter().rev().cloned().collect();
        assert_eq!(members_in_order(&file("Cargo.toml", &text(&turned))).unwrap().len(), 1);
        assert!(members_in_order(&[]).is_err());
    }

    #[test]
    fn heavy_packages_are_named_once() {
        let tree = "xtask v0.1.0\nanyhow v1\ntokio v1.52.0\ntokio v1.52.0 (*)\narrow-array v60\n";
        assert_eq!(heavy(tree).len(), 2);
    }
}
