//! The binary `report` as a user runs it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

pub(crate) fn report() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("report"))
}

/// Returns the standard output of a command. Panics with its standard error if it fails.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the standard error of a command. Panics if it succeeds.
pub(crate) fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "expected a failure");
    String::from_utf8(output.stderr).unwrap()
}

/// The command that judges the claims by a folder of runs, without the 2023 study.
pub(crate) fn claims_command(folder: &Path) -> Command {
    let mut command = report();
    command.args(["claims", "--study", "nowhere", "--run"]).arg(folder);
    command
}

/// Judges the claims by a folder of runs and returns the JSON.
pub(crate) fn claims(folder: &Path) -> Value {
    let text = output(claims_command(folder).args(["--format", "json"]));
    serde_json::from_str(&text).unwrap()
}

/// Judges one claim by a folder of runs and returns its JSON.
pub(crate) fn claim(folder: &Path, id: &str) -> Value {
    let found = claims(folder);
    let recommendations = found["recommendations"].as_array().unwrap();
    let mut all = recommendations.iter().flat_map(|one| one["claims"].as_array().unwrap());
    all.find(|claim| claim["id"] == id).unwrap().clone()
}

/// Returns the exploratory verdict of a claim and its text: no plan asked for a made-up run.
pub(crate) fn verdict(folder: &Path, id: &str) -> (String, String) {
    let claim = claim(folder, id);
    assert_eq!(claim["registered"]["verdict"], "not_run", "{claim}");
    let text = |key: &str| claim["exploratory"][key].as_str().unwrap().to_owned();
    (text("verdict"), text("text"))
}
