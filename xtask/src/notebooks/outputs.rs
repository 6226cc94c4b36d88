//! What the cells of an executed notebook left.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Refuses a notebook of which a cell failed, printed to standard error, or did not run: after a panic or a failed `?`
/// nbconvert itself ends as if all was well.
///
/// # Errors
/// Names each such cell with what it printed.
pub(super) fn check(notebook: &str) -> Result<()> {
    let notebook: Value = serde_json::from_str(notebook).context("the executed notebook is not JSON")?;
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
        bail!("not every cell did its work{faults}");
    }
    if executed == 0 {
        bail!("it has no cell of code");
    }
    Ok(())
}

fn fault(cell: &Value) -> Option<String> {
    for output in cell["outputs"].as_array().into_iter().flatten() {
        if output["output_type"] == "error" {
            return Some(format!("error: {}", text(&output["evalue"])));
        }
        if output["output_type"] == "stream" && output["name"] == "stderr" {
            return Some(format!("printed to standard error: {}", text(&output["text"])));
        }
    }
    cell["execution_count"].is_null().then(|| "was not executed".to_owned())
}

/// Jupyter writes a text as one string or as a list of lines.
fn text(value: &Value) -> String {
    let text = match value {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().unwrap_or_default().to_owned(),
    };
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::check;

    fn with(outputs: &str, count: &str) -> Result<(), String> {
        let cell = format!(r#"{{"cell_type": "code", "execution_count": {count}, "outputs": [{outputs}]}}"#);
        check(&format!(r#"{{"cells": [{{"cell_type": "markdown"}}, {cell}]}}"#)).map_err(|error| error.to_string())
    }

    #[test]
    fn results_and_standard_output_are_fine() {
        assert_eq!(
            with(r#"{"output_type": "stream", "name": "stdout", "text": "x"}"#, "1"),
            Ok(())
        );
        assert_eq!(with(r#"{"output_type": "execute_result", "data": {}}"#, "1"), Ok(()));
    }

    #[test]
    fn a_panic_an_error_and_a_cell_that_did_not_run_are_not() {
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
        assert!(check(r#"{"cells": []}"#).is_err());
        assert!(check("nothing").is_err());
    }
}
