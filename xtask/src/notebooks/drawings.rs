//! Whether an executed notebook shows the figures that `cargo xtask figures` draws.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::guard::text;
use crate::paths;
use crate::programs::Program;

/// What stands in a cell before the name of the recorded run whose figure it shows.
const READ: &str = "exhibits::read(Path::new(\"../data/reference/before-plan/";

/// Holds the figure of each recommendation against the one that `drawn` gives for its recorded run, byte for byte.
///
/// # Errors
/// Names the figure that differs; says so where cells read recorded runs in another way than this.
pub(super) fn check(notebook: &Value, drawn: impl Fn(&str) -> Result<String>) -> Result<()> {
    let mut compared = 0;
    let cells = notebook["cells"].as_array().map_or(&[][..], Vec::as_slice);
    for cell in cells {
        let source = text(&cell["source"]);
        let Some((_, rest)) = source.split_once(READ) else {
            continue;
        };
        let name = rest.split('"').next().unwrap_or_default();
        let outputs = cell["outputs"].as_array().into_iter().flatten();
        let page: String = outputs.map(|output| text(&output["data"]["text/html"])).collect();
        ensure!(
            page.contains(drawn(name)?.trim_end()),
            "the figure of {name} is not the one that `cargo xtask figures` draws of the recorded run"
        );
        compared += 1;
    }
    let whole = cells.iter().map(|cell| text(&cell["source"])).collect::<String>();
    let shown = whole.matches("exhibits::read(").count();
    ensure!(
        compared == shown,
        "{shown} cells show figures of recommendations, and {compared} of them by `let NAME = {READ}NAME\"))?`"
    );
    Ok(())
}

/// The SVG that the built `report` draws of a recorded run.
///
/// # Errors
/// When it cannot.
pub(super) fn drawn(name: &str) -> Result<String> {
    let folder = tempfile::tempdir().context("making a folder for a figure")?;
    Program::new(paths::binary("report"))
        .args(["exhibit", "--run"])
        .arg(Path::new(paths::REFERENCE).join("before-plan").join(name))
        .arg("--out")
        .arg(folder.path())
        .output()?;
    let path = folder.path().join("figures").join(name).with_extension("svg");
    std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn another_figure_than_the_commands_is_named() {
        let notebook = serde_json::json!({ "cells": [{
            "source": ["let r01 = exhibits::read(Path::new(\"../data/reference/before-plan/r01\"))?;\n", "println!()"],
            "outputs": [{ "data": { "text/html": ["<figure>\n", "<svg>1</svg>\n</figure>"] } }],
        }, { "source": "1 + 1", "outputs": [] }] });
        let draws = |svg: &'static str| {
            move |name: &str| {
                assert_eq!(name, "r01");
                Ok(svg.to_owned())
            }
        };
        check(&notebook, draws("<svg>1</svg>\n")).unwrap();
        let other = serde_json::json!({ "cells": [{ "source": "exhibits::read(path)", "outputs": [] }] });
        assert!(check(&other, draws("")).unwrap_err().to_string().contains("0 of them"));
        let error = check(&notebook, draws("<svg>2</svg>\n")).unwrap_err().to_string();
        assert!(error.contains("the figure of r01"), "{error}");
    }
}
