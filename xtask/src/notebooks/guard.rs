//! Keeps all output of the cells, and finds cells that stopped before their end.
//!
//! The kernel sends the output of a cell from other threads than the end of the cell, so that nbconvert may go on to the next
//! cell before the last lines arrive. The message of a panic or of a failed `?` would be lost, and two executions could
//! differ. Therefore a copy of the notebook is executed in which each cell ends by printing a mark and waiting a little.
//! Afterwards the marks are searched for and removed.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// The mark that a cell prints at its end.
const MARK: &str = "[end of cell]";
/// The wait after the mark, in milliseconds: long enough for a busy machine to pass on printed lines.
const WAIT_MS: u32 = 300;

/// The notebook with a mark at the end of each cell.
///
/// # Errors
/// When the text is not a notebook, or a cell ends in an expression, which no statement can follow.
pub(super) fn marked(notebook: &str) -> Result<Value> {
    let mut notebook: Value = serde_json::from_str(notebook).context("the notebook is not JSON")?;
    for (number, cell) in code_cells(&mut notebook)? {
        let source = text(&cell["source"]);
        let last = source.trim_end().lines().next_back().unwrap_or_default();
        if !(last.ends_with([';', '}']) || last.starts_with(':')) {
            bail!("cell {number} ends in `{last}`; print the value, or end the line with `;`");
        }
        cell["source"] = json!(format!(
            "{source}\nprintln!(\"{MARK}\"); std::thread::sleep(std::time::Duration::from_millis({WAIT_MS}));"
        ));
    }
    Ok(notebook)
}

/// The original's cells with the outputs of the executed copy, without marks. A cell whose mark is missing gets an output of
/// type `error`, unless it has one already.
///
/// # Errors
/// When one of the two is not a notebook, or their cells do not correspond.
pub(super) fn unmarked(executed: &str, original: &str) -> Result<Value> {
    let mut executed: Value = serde_json::from_str(executed).context("the executed notebook is not JSON")?;
    let mut original: Value = serde_json::from_str(original).context("the notebook is not JSON")?;
    let originals = code_cells(&mut original)?;
    let cells = code_cells(&mut executed)?;
    if cells.len() != originals.len() {
        bail!("{} of its {} cells came back", cells.len(), originals.len());
    }
    for ((_, cell), (_, original)) in cells.into_iter().zip(originals) {
        cell["source"] = original["source"].take();
        let (mut outputs, ended) = without_mark(cell["outputs"].as_array().map_or(&[], Vec::as_slice));
        if !ended && !outputs.iter().any(|output| output["output_type"] == "error") {
            outputs.push(json!({
                "output_type": "error",
                "ename": "Unfinished",
                "evalue": "it stopped before its end: a panic, or an error passed on by `?`",
                "traceback": [],
            }));
        }
        cell["outputs"] = Value::Array(outputs);
    }
    Ok(executed)
}

/// Joins the printed lines without the mark, and returns whether the mark was among them.
fn without_mark(outputs: &[Value]) -> (Vec<Value>, bool) {
    let mut joined: Vec<Value> = Vec::new();
    let mut ended = false;
    for output in outputs {
        if output["output_type"] != "stream" {
            joined.push(output.clone());
            continue;
        }
        let printed = text(&output["text"]);
        let kept: String = printed
            .split_inclusive('\n')
            .filter(|line| line.trim_end() != MARK)
            .collect();
        ended |= kept.len() < printed.len();
        match joined.last_mut() {
            Some(last) if last["output_type"] == "stream" && last["name"] == output["name"] => {
                last["text"] = json!(text(&last["text"]) + &kept);
            }
            _ if kept.is_empty() => {}
            _ => joined.push(json!({ "output_type": "stream", "name": output["name"], "text": kept })),
        }
    }
    (joined, ended)
}

/// Cells of code with their numbers, counted from 1 over all cells.
fn code_cells(notebook: &mut Value) -> Result<Vec<(usize, &mut Value)>> {
    let cells = notebook["cells"].as_array_mut().context("the notebook has no cells")?;
    Ok((1..)
        .zip(cells)
        .filter(|(_, cell)| cell["cell_type"] == "code")
        .collect())
}

/// Jupyter writes a text as one string or as a list of lines.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notebook(source: &str, outputs: &[Value]) -> String {
        json!({ "cells": [{ "cell_type": "code", "source": source, "outputs": outputs }] }).to_string()
    }

    fn printed(name: &str, text: &str) -> Value {
        json!({ "output_type": "stream", "name": name, "text": text })
    }

    #[test]
    fn a_cell_is_marked_and_comes_back_without_the_mark() {
        let original = notebook("f();", &[]);
        let marked = marked(&original).unwrap();
        assert!(text(&marked["cells"][0]["source"]).starts_with("f();\nprintln!(\"[end of cell]\");"));
        let outputs = [
            printed("stdout", "a\n"),
            printed("stdout", "\n"),
            printed("stdout", "b\n"),
            printed("stdout", "[end of cell]\n"),
        ];
        let executed = notebook("f();\nprintln!();", &outputs);
        assert_eq!(
            unmarked(&executed, &original).unwrap()["cells"][0],
            json!({ "cell_type": "code", "source": "f();", "outputs": [printed("stdout", "a\n\nb\n")] })
        );
    }

    #[test]
    fn a_cell_without_its_mark_is_an_error() {
        let original = notebook("f()?;", &[]);
        let executed = unmarked(&original, &original).unwrap();
        assert_eq!(executed["cells"][0]["outputs"][0]["output_type"], "error");
    }

    #[test]
    fn a_cell_that_ends_in_an_expression_is_refused() {
        assert!(marked(&notebook("1 + 1", &[])).is_err());
        assert!(marked(&notebook(":dep analysis = { path = \"../analysis\" }", &[])).is_ok());
        assert!(marked("{}").is_err());
    }
}
