//! `cargo xtask doctor`: lists the conditions and instruments of this machine, and the fix for each that is missing.

mod instruments;
mod prerequisite;

use anyhow::{Context, Result};
use serde_json::json;

use crate::output::OutputFormat;
use crate::paths;
use crate::programs::Program;
use prerequisite::Prerequisite;

#[derive(clap::Args)]
pub(crate) struct DoctorCommand {
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// Prints all prerequisites. A missing one is no failure.
///
/// # Errors
/// When the runner is built and fails to list the conditions.
pub(crate) fn run(arguments: &DoctorCommand) -> Result<()> {
    let conditions = conditions()?;
    let instruments = instruments::all();
    if arguments.format == OutputFormat::Json {
        let all = json!({ "conditions": conditions, "instruments": instruments });
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    for (title, findings) in [("conditions", &conditions), ("instruments", &instruments)] {
        println!("{title}");
        for finding in findings {
            finding.print();
        }
    }
    Ok(())
}

/// Returns the names of the conditions that work on this machine.
///
/// # Errors
/// When the runner fails to list the conditions.
pub(crate) fn available() -> Result<Vec<String>> {
    let found = conditions()?.into_iter().filter(|finding| finding.found);
    Ok(found.map(|finding| finding.name).collect())
}

/// Returns the missing prerequisites of the application on Tomcat, each with its remedy.
pub(crate) fn missing_for_tomcat() -> Vec<String> {
    [instruments::jdk(), instruments::tomcat()]
        .into_iter()
        .filter(|finding| !finding.found)
        .map(|finding| format!("{}: {}", finding.name, finding.fix.unwrap_or(finding.detail)))
        .collect()
}

/// A condition as `runner places` prints it.
#[derive(serde::Deserialize)]
struct Place {
    name: String,
    level: Option<String>,
    available: bool,
    reason: Option<String>,
    fix: Option<String>,
}

/// Returns the conditions that the runner lists.
fn conditions() -> Result<Vec<Prerequisite>> {
    let runner = paths::binary("runner");
    if !runner.is_file() {
        return Ok(vec![Prerequisite {
            name: "all".into(),
            purpose: "the runner lists the conditions that work".into(),
            found: false,
            detail: format!("{} is not built", runner.display()),
            fix: Some("cargo xtask build".into()),
        }]);
    }
    let program = Program::new(runner).arg("places");
    let places: Vec<Place> = serde_json::from_str(&program.output()?).with_context(|| {
        format!(
            "`{}` printed other JSON than expected; run `cargo xtask build`",
            program.shown()
        )
    })?;
    let prerequisite = |place: Place| Prerequisite {
        name: place.name,
        purpose: place.level.unwrap_or_default(),
        found: place.available,
        detail: place.reason.unwrap_or_else(|| "works".into()),
        fix: place.fix,
    };
    Ok(places.into_iter().map(prerequisite).collect())
}
