//! Invariants of notebooks: cells call functions, they define none, and no result is kept in the repository.

use anyhow::{Context, Result};
use serde_json::Value;

use super::File;

/// A cell that is longer wants to be a function in `analysis` or `report`.
const LONGEST_CELL: usize = 5;

/// Notebooks are thin.
///
/// # Errors
/// When one is not a notebook.
pub(super) fn thin(files: &[File]) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".ipynb")) {
        let notebook: Value =
            serde_json::from_str(&file.text).with_context(|| format!("{} is not a notebook", file.path))?;
        let cells = notebook["cells"]
            .as_array()
            .with_context(|| format!("{} has no cells", file.path))?;
        for (index, cell) in cells.iter().enumerate().filter(|(_, cell)| cell["cell_type"] == "code") {
            let place = format!("{}, cell {}", file.path, index + 1);
            let source = source(cell);
            let lines = source.lines().filter(|line| !line.trim().is_empty()).count();
            if source.lines().any(defines_a_function) {
                breaches.push(format!("{place}: defines a function; put it into analysis or report"));
            }
            if lines > LONGEST_CELL {
                breaches.push(format!("{place}: {lines} lines, at most {LONGEST_CELL}"));
            }
            if cell["outputs"].as_array().is_some_and(|outputs| !outputs.is_empty()) {
                breaches.push(format!(
                    "{place}: holds outputs; they are made by `cargo xtask notebooks`, clear them"
                ));
            }
        }
    }
    Ok(breaches)
}

/// A cell's source is one text or a list of lines.
fn source(cell: &Value) -> String {
    match &cell["source"] {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().unwrap_or_default().to_owned(),
    }
}

fn defines_a_function(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|word| word == "fn")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(cell: &str) -> Vec<String> {
        thin(&[File {
            path: "n.ipynb".into(),
            text: format!(r#"{{"cells": [{{"cell_type": "code", {cell}}}]}}"#),
        }])
        .unwrap()
    }

    #[test]
    fn a_cell_calls_and_does_not_define() {
        assert!(breaches(r#""source": ["let a = f(); // fn\n", "a"], "outputs": []"#).is_empty());
        assert_eq!(breaches(r#""source": "fn mean() {}", "outputs": []"#).len(), 1);
        assert_eq!(breaches(r#""source": "1\n2\n3\n4\n5\n6", "outputs": []"#).len(), 1);
        assert_eq!(breaches(r#""source": "1", "outputs": [{}]"#).len(), 1);
    }

    #[test]
    fn something_else_is_refused() {
        let file = |text: &str| {
            [File {
                path: "n.ipynb".into(),
                text: text.into(),
            }]
        };
        assert!(thin(&file("no notebook")).is_err());
        assert!(thin(&file("{}")).is_err());
    }
}
