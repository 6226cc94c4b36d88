//! Version, licence and title agree in all files that hold them.

use anyhow::{Context, Result};
use serde_json::Value;

use super::files::TrackedFile;

/// Compares version, licence and title in `CITATION.cff`, `codemeta.json` and `.zenodo.json` with Cargo.toml.
///
/// # Errors
/// When a file is missing, or a JSON file is not JSON.
pub(super) fn agree(files: &[TrackedFile]) -> Result<Vec<String>> {
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.map(|file| file.text.as_str())
            .with_context(|| format!("{path} is not among the files that git lists"))
    };
    let json = |path: &str| -> Result<Value> {
        serde_json::from_str(text(path)?).with_context(|| format!("{path} is not JSON"))
    };
    let manifest = text("Cargo.toml")?;
    let of_manifest = |key: &str| {
        let line = manifest
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        line.map(|value| value.trim_matches('"').to_owned())
            .with_context(|| format!("Cargo.toml: [workspace.package] has no {key}"))
    };
    let (version, license) = (of_manifest("version")?, of_manifest("license")?);
    let citation = text("CITATION.cff")?;
    let of_citation = |key: &str| {
        let line = citation
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let title = of_citation("title");
    let (codemeta, zenodo) = (json("codemeta.json")?, json(".zenodo.json")?);
    let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let license_page = format!("https://spdx.org/licenses/{license}");
    let pairs = [
        ("CITATION.cff: version", of_citation("version"), &version),
        ("CITATION.cff: license", of_citation("license"), &license),
        ("codemeta.json: version", said(&codemeta["version"]), &version),
        ("codemeta.json: license", said(&codemeta["license"]), &license_page),
        ("codemeta.json: name", said(&codemeta["name"]), &title),
        (".zenodo.json: version", said(&zenodo["version"]), &version),
        (".zenodo.json: license", said(&zenodo["license"]), &license),
        (".zenodo.json: title", said(&zenodo["title"]), &title),
    ];
    Ok(pairs
        .iter()
        .filter(|(_, found, wanted)| found != *wanted)
        .map(|(place, found, wanted)| {
            format!("{place} is `{found}`, expected `{wanted}`, as in Cargo.toml and CITATION.cff")
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(version: &str, title: &str) -> Vec<String> {
        let file = |path: &str, text: String| TrackedFile {
            path: path.into(),
            text,
        };
        let codemeta = serde_json::json!({
            "version": version, "license": "https://spdx.org/licenses/Apache-2.0", "name": title,
        });
        let zenodo = serde_json::json!({ "version": "0.1.0", "license": "Apache-2.0", "title": "Hooks" });
        agree(&[
            file(
                "Cargo.toml",
                "[workspace.package]\nversion = \"0.1.0\"\nlicense = \"Apache-2.0\"\n".into(),
            ),
            file(
                "CITATION.cff",
                "title: \"Hooks\"\nlicense: Apache-2.0\nversion: 0.1.0\n".into(),
            ),
            file("codemeta.json", codemeta.to_string()),
            file(".zenodo.json", zenodo.to_string()),
        ])
        .unwrap()
    }

    #[test]
    fn an_outdated_version_is_found() {
        assert!(breaches("0.1.0", "Hooks").is_empty());
        assert_eq!(breaches("0.2.0", "Hooks").len(), 1);
        assert_eq!(breaches("0.1.0", "Hook").len(), 1);
        assert!(agree(&[]).is_err());
    }
}
