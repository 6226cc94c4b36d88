//! The outputs of an executed notebook's cells.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::guard::text;

/// Checks that every cell of a notebook ran, succeeded, and printed nothing to standard error. nbconvert itself
/// succeeds after a failed `?`.
///
/// # Errors
/// Names each such cell with its output.
pub(super) fn check(notebook: &Value) -> Result<()> {
    let cells = notebook["cells"]
        .as_array()
        .context("the executed notebook has no cells")?;
    let mut faults = String::new();
    let mut executed = 0;
    for (index, cell) in cells.iter().enumerate().filter(|(_, cell)| cell["cell_type"] == "code") {
        executed += 1;
        if let Some(fault) = fault(cell) {
            let _ = write!(faults, "\ncell {}: {fault}", index + 1);
        }
    }
    if !faults.is_empty() {
        bail!("cells failed:{faults}");
    }
    if executed == 0 {
        bail!("the notebook has no cell of code");
    }
    Ok(())
}

fn fault(cell: &Value) -> Option<String> {
    let outputs = || cell["outputs"].as_array().into_iter().flatten();
    let printed: String = outputs()
        .filter(|output| output["output_type"] == "stream" && output["name"] == "stderr")
        .map(|output| text(&output["text"]))
        .collect();
    let error = outputs().find(|output| output["output_type"] == "error");
    let printed = (!printed.is_empty()).then(|| format!("printed to standard error: {}", printed.trim_end()));
    let error = error.map(|error| format!("error: {}", text(&error["evalue"]).trim_end()));
    match (printed, error) {
        (Some(printed), Some(error)) => Some(format!("{error}; {printed}")),
        (None, None) => cell["execution_count"].is_null().then(|| "was not executed".to_owned()),
        (printed, error) => printed.or(error),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    fn with(outputs: &str, count: &str) -> Result<(), String> {
        let cell = format!(r#"{{"cell_type": "code", "execution_count": {count}, "outputs": [{outputs}]}}"#);
        let notebook = format!(r#"{{"cells": [{{"cell_type": "markdown"}}, {cell}]}}"#);
        check(&serde_json::from_str(&notebook).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn results_and_standard_output_are_accepted() {
        assert_eq!(
            with(r#"{"output_type": "stream", "name": "stdout", "text": "x"}"#, "1"),
            Ok(())
        );
        assert_eq!(with(r#"{"output_type": "execute_result", "data": {}}"#, "1"), Ok(()));
    }

    #[test]
    fn a_panic_an_error_and_a_cell_that_did_not_run_are_refused() {
        let panic = with(
            r#"{"output_type": "stream", "name": "stderr", "text": ["thread panicked\n"]}"#,
            "1",
        );
        assert!(
            panic
                .unwrap_err()
                .contains("cell 2: printed to standard error: thread panicked")
        );
        let error = with(r#"{"output_type": "error", "evalue": "no such value"}"#, "1");
        assert!(error.unwrap_err().contains("cell 2: error: no such value"));
        assert!(with("", "null").unwrap_err().contains("cell 2: was not executed"));
        assert!(check(&serde_json::json!({ "cells": [] })).is_err());
        assert!(check(&serde_json::json!({})).is_err());
    }
}
