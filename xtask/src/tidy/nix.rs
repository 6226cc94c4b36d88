//! Invariants of the flake that can be checked without nix.

use anyhow::{Context, Result};
use serde_json::Value;

use super::files::TrackedFile;

/// The version of the lock file's format.
const LOCK_VERSION: u64 = 7;

/// Checks that the lock has the current version and locks exactly the inputs of the flake.
///
/// # Errors
/// When one of the two files is missing, or the lock is not JSON.
pub(super) fn lock_agrees(files: &[TrackedFile]) -> Result<Vec<String>> {
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.map(|file| file.text.as_str())
            .with_context(|| format!("{path} is not among the files that git lists"))
    };
    let lock: Value = serde_json::from_str(text("flake.lock")?).context("flake.lock is not JSON")?;
    let mut breaches = Vec::new();
    if lock["version"].as_u64() != Some(LOCK_VERSION) {
        breaches.push(format!(
            "flake.lock: version {}, expected {LOCK_VERSION}; run `nix flake lock`",
            lock["version"]
        ));
    }
    let named = inputs(text("flake.nix")?);
    let nodes = lock["nodes"]
        .as_object()
        .context("flake.lock: `nodes` is not an object")?;
    for (reference, node) in named.iter().map(|reference| (reference, locked(nodes, reference))) {
        let Some(node) = node else {
            breaches.push(format!(
                "flake.lock: no node for `{}` of flake.nix; run `nix flake lock`",
                reference.text
            ));
            continue;
        };
        let (pinned, original) = (&node["locked"], &node["original"]);
        for (key, wanted) in [
            ("owner", Some(reference.owner)),
            ("repo", Some(reference.repo)),
            ("ref", reference.branch),
        ] {
            if original[key].as_str() != wanted {
                breaches.push(format!(
                    "flake.lock: {key} {} for `{}` of flake.nix; run `nix flake lock`",
                    original[key], reference.text
                ));
            }
        }
        let revision = pinned["rev"].as_str().unwrap_or_default();
        if revision.len() != 40 || !revision.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            breaches.push(format!(
                "flake.lock: rev `{revision}` of `{}` is not a commit",
                reference.text
            ));
        }
        if !pinned["narHash"].as_str().unwrap_or_default().starts_with("sha256-") {
            breaches.push(format!("flake.lock: `{}` has no narHash", reference.text));
        }
    }
    // The root is a node, too.
    if nodes.len() != named.len() + 1 {
        breaches.push(format!(
            "flake.lock: {} inputs locked, flake.nix names {}; run `nix flake lock`",
            nodes.len().saturating_sub(1),
            named.len()
        ));
    }
    Ok(breaches)
}

/// `github:OWNER/REPO[/REF]`.
struct FlakeInput<'a> {
    text: &'a str,
    owner: &'a str,
    repo: &'a str,
    branch: Option<&'a str>,
}

fn inputs(flake: &str) -> Vec<FlakeInput<'_>> {
    let texts = flake.split('"').filter(|text| text.starts_with("github:"));
    texts
        .filter_map(|text| {
            let mut words = text.trim_start_matches("github:").split('/');
            Some(FlakeInput {
                text,
                owner: words.next()?,
                repo: words.next()?,
                branch: words.next(),
            })
        })
        .collect()
}

fn locked<'a>(nodes: &'a serde_json::Map<String, Value>, reference: &FlakeInput<'_>) -> Option<&'a Value> {
    nodes
        .values()
        .find(|node| node["locked"]["repo"] == reference.repo && node["locked"]["owner"] == reference.owner)
}

/// Finds crates from git repositories: nix takes crates from Cargo.lock, which has no checksum for them.
pub(super) fn no_git_sources(files: &[TrackedFile]) -> Vec<String> {
    let lock = files.iter().filter(|file| file.path == "Cargo.lock");
    lock.flat_map(|file| file.text.lines().enumerate())
        .filter(|(_, line)| line.starts_with("source = \"git+"))
        .map(|(index, line)| format!("Cargo.lock:{}: {line}; use a released version", index + 1))
        .collect()
}

/// Finds paths in nix files that git does not track, which a flake would not see.
pub(super) fn paths_are_tracked(files: &[TrackedFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".nix")) {
        for (index, line) in file.text.lines().enumerate() {
            let code = line.split('#').next().unwrap_or_default();
            let words = code.split(|letter: char| letter.is_whitespace() || "()[];\"'{}".contains(letter));
            for word in words.filter(|word| word.starts_with("./") || word.starts_with("../")) {
                let path = resolved(&file.path, word);
                let inside = format!("{path}/");
                let tracked = path.is_empty()
                    || files
                        .iter()
                        .any(|other| other.path == path || other.path.starts_with(&inside));
                if !tracked {
                    breaches.push(format!(
                        "{}:{}: git does not track `{path}`, so that the flake does not see it; run `git add`",
                        file.path,
                        index + 1
                    ));
                }
            }
        }
    }
    breaches
}

/// The path from the project's folder, of a path that a file names.
fn resolved(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAKE: &str = "nixpkgs.url = \"github:NixOS/nixpkgs/nixos-26.05\";\n";

    fn file(path: &str, text: impl Into<String>) -> TrackedFile {
        TrackedFile {
            path: path.into(),
            text: text.into(),
        }
    }

    fn lock(version: u64, branch: &str, revision: &str) -> Vec<String> {
        let lock = serde_json::json!({ "version": version, "nodes": { "root": {}, "nixpkgs": {
            "locked": { "owner": "NixOS", "repo": "nixpkgs", "rev": revision, "narHash": "sha256-x" },
            "original": { "owner": "NixOS", "repo": "nixpkgs", "ref": branch },
        }}});
        lock_agrees(&[file("flake.nix", FLAKE), file("flake.lock", lock.to_string())]).unwrap()
    }

    #[test]
    fn a_lock_that_is_not_the_flake_s_is_found() {
        let revision = "21ea275a7c46aef9d4d6ddc962e6d562e9d94183";
        assert_eq!(lock(7, "nixos-26.05", revision), Vec::<String>::new());
        assert_eq!(lock(6, "nixos-26.05", revision).len(), 1);
        assert_eq!(lock(7, "nixos-25.11", revision).len(), 1);
        assert_eq!(lock(7, "nixos-26.05", "nixos-26.05").len(), 1);
        assert!(lock_agrees(&[file("flake.nix", FLAKE)]).is_err());
        let none = r#"{"version": 7, "nodes": {"root": {}}}"#;
        let breaches = lock_agrees(&[file("flake.nix", FLAKE), file("flake.lock", none)]).unwrap();
        assert_eq!(breaches.len(), 2, "{breaches:?}");
    }

    #[test]
    fn crates_from_git_are_found() {
        let text = "[[package]]\nname = \"x\"\nsource = \"git+https://example.org/x#1\"\n";
        assert_eq!(no_git_sources(&[file("Cargo.lock", text)]).len(), 1);
        assert!(no_git_sources(&[file("Cargo.lock", "source = \"registry+x\"\n")]).is_empty());
    }

    #[test]
    fn paths_that_git_does_not_know_are_found() {
        let expression = "import ./a.nix { lock = ../Cargo.lock; } # ./b.nix\n";
        let files = [
            file("nix/default.nix", expression),
            file("nix/a.nix", ""),
            file("Cargo.lock", ""),
        ];
        assert!(paths_are_tracked(&files).is_empty());
        assert_eq!(paths_are_tracked(&files[..2]).len(), 1);
        assert_eq!(paths_are_tracked(&files[..1]).len(), 2);
    }
}
