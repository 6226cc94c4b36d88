//! Comparison of a notebook's figures with those that `cargo xtask figures` draws.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::guard::text;
use crate::paths;
use crate::programs::Program;

/// The code before the name of the recorded run whose figure a cell shows.
const READ: &str = "exhibits::read(Path::new(\"../data/reference/before-plan/";

/// Checks that `page`, the output of all cells, holds the figure of each recommendation that the notebook shows, byte for
/// byte as `drawn` gives it for the recorded run.
///
/// # Errors
/// Names the figure that differs, or says that a cell reads a recorded run by other code than [`READ`].
pub(super) fn check(notebook: &Value, page: &str, drawn: impl Fn(&str) -> Result<String>) -> Result<()> {
    let cells = notebook["cells"].as_array().map_or(&[][..], Vec::as_slice);
    let code = cells.iter().map(|cell| text(&cell["source"])).collect::<String>();
    let names: Vec<&str> = code
        .split(READ)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or_default())
        .collect();
    let shown = code.matches("exhibits::read(").count();
    ensure!(
        names.len() == shown,
        "{shown} cells show figures of recommendations, and {} of them by `let NAME = {READ}NAME\"))?`",
        names.len()
    );
    for name in names {
        ensure!(
            page.contains(drawn(name)?.trim_end()),
            "the figure of {name} is not the one that `cargo xtask figures` draws of the recorded run"
        );
    }
    Ok(())
}

/// The HTML that the cells of an executed notebook left.
pub(super) fn page(notebook: &Value) -> String {
    let cells = notebook["cells"].as_array().into_iter().flatten();
    let outputs = cells.flat_map(|cell| cell["outputs"].as_array().into_iter().flatten());
    outputs.map(|output| text(&output["data"]["text/html"])).collect()
}

/// The SVG that the built `report` draws of a recorded run.
///
/// # Errors
/// When `report` fails or writes no figure.
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
    use super::{check, page};

    #[test]
    fn a_figure_that_the_command_does_not_draw_is_named() {
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
        let page = page(&notebook);
        check(&notebook, &page, draws("<svg>1</svg>\n")).unwrap();
        let error = check(&notebook, &page, draws("<svg>2</svg>\n"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("the figure of r01"), "{error}");
        let other = serde_json::json!({ "cells": [{ "source": "exhibits::read(path)", "outputs": [] }] });
        assert!(
            check(&other, "", draws(""))
                .unwrap_err()
                .to_string()
                .contains("0 of them")
        );
    }
}
