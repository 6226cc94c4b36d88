//! Version, licence and title agree in all files that hold them.

use super::files::TrackedFile;

/// Returns one message for each version, licence or title in `CITATION.cff`, `codemeta.json` and `.zenodo.json` that
/// differs from Cargo.toml or from the title of `CITATION.cff`.
pub(super) fn agree(files: &[TrackedFile]) -> Vec<String> {
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.map_or("", |file| file.text.as_str())
    };
    let value = |path: &str, key: &str| {
        let line = text(path).lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let version = value("Cargo.toml", "version = ");
    let license = value("Cargo.toml", "license = ");
    let title = value("CITATION.cff", "title: ");
    let lines = [
        ("CITATION.cff", format!("version: {version}")),
        ("CITATION.cff", format!("license: {license}")),
        ("codemeta.json", format!(r#""version": "{version}""#)),
        (
            "codemeta.json",
            format!(r#""license": "https://spdx.org/licenses/{license}""#),
        ),
        ("codemeta.json", format!(r#""name": "{title}""#)),
        (".zenodo.json", format!(r#""version": "{version}""#)),
        (".zenodo.json", format!(r#""license": "{license}""#)),
        (".zenodo.json", format!(r#""title": "{title}""#)),
    ];
    let missing = lines.iter().filter(|(path, line)| !text(path).contains(line));
    let breaches = missing
        .map(|(path, line)| format!("{path}: expected `{line}`, as in Cargo.toml and in the title of CITATION.cff"));
    breaches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outdated_version_is_found() {
        let files = |version: &str| {
            [
                ("Cargo.toml", "version = \"0.1.0\"\nlicense = \"MIT\"\n".to_owned()),
                (
                    "CITATION.cff",
                    "title: \"Hooks\"\nlicense: MIT\nversion: 0.1.0\n".to_owned(),
                ),
                (
                    "codemeta.json",
                    format!(r#""version": "{version}", "license": "https://spdx.org/licenses/MIT", "name": "Hooks""#),
                ),
                (
                    ".zenodo.json",
                    r#""version": "0.1.0", "license": "MIT", "title": "Hooks""#.to_owned(),
                ),
            ]
            .map(|(path, text)| TrackedFile::new(path, &text))
        };
        assert!(agree(&files("0.1.0")).is_empty());
        assert_eq!(agree(&files("0.2.0")).len(), 1);
        assert_eq!(agree(&files("0.1.0")[..2]).len(), 6);
    }
}
