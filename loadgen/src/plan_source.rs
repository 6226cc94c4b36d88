//! Reads a launch plan from a file or from standard input.

use std::fs;
use std::io;
use std::path::Path;

use model::LaunchPlan;

use crate::error::LoadgenError;

/// Reads and validates a launch plan. The path `-` stands for the first line of standard input.
///
/// # Errors
/// When the file cannot be read, and the errors of [`LaunchPlan::from_json`].
pub fn read_plan(path: &Path) -> Result<LaunchPlan, LoadgenError> {
    let text = if path == Path::new("-") {
        // One line rather than the whole input, because not every container engine can close a command's standard input.
        io::stdin().lines().next().unwrap_or_else(|| Ok(String::new()))
    } else {
        fs::read_to_string(path)
    };
    let text = text.map_err(|source| LoadgenError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(LaunchPlan::from_json(&text)?)
}
