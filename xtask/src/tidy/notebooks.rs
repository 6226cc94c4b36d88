//! Invariants of notebooks: cells call functions and define none.

use anyhow::{Context, Result};
use serde_json::Value;

use super::files::TrackedFile;

/// Finds cells that define functions: code that a notebook, a figure and the paper share stands in a crate.
///
/// # Errors
/// When a file is not a notebook.
pub(super) fn without_functions(files: &[TrackedFile]) -> Result<Vec<String>> {
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
            if source.lines().any(defines_a_function) {
                breaches.push(format!("{place}: defines a function; put it into analysis or report"));
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
        without_functions(&[TrackedFile {
            path: "n.ipynb".into(),
            text: format!(r#"{{"cells": [{{"cell_type": "code", {cell}}}]}}"#),
        }])
        .unwrap()
    }

    #[test]
    fn a_cell_calls_and_does_not_define() {
        assert!(breaches(r#""source": ["let a = f(); // fn\n", "a"], "outputs": []"#).is_empty());
        assert_eq!(breaches(r#""source": "fn mean() {}", "outputs": []"#).len(), 1);
    }

    #[test]
    fn something_else_is_refused() {
        let file = |text: &str| {
            [TrackedFile {
                path: "n.ipynb".into(),
                text: text.into(),
            }]
        };
        assert!(without_functions(&file("no notebook")).is_err());
        assert!(without_functions(&file("{}")).is_err());
    }
}
