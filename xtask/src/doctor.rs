//! `cargo xtask doctor`: what works here, and for what does not, why and the fix.

mod instruments;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::analyze::Format;
use crate::paths;
use crate::programs::Program;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How to print
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Something that is looked for.
struct Finding {
    name: String,
    /// What it is needed for, or at which level it would work.
    purpose: String,
    found: bool,
    /// Where it is, or why it is not there.
    detail: String,
    /// What to do where it is not there.
    fix: Option<String>,
}

impl Finding {
    fn value(&self) -> Value {
        json!({
            "name": self.name,
            "purpose": self.purpose,
            "found": self.found,
            "detail": self.detail,
            "fix": self.fix,
        })
    }

    fn print(&self) {
        let mark = if self.found { "found  " } else { "missing" };
        println!("  {mark}  {:<24} {}: {}", self.name, self.purpose, self.detail);
        if let Some(fix) = self.fix.as_ref().filter(|_| !self.found) {
            println!("           {:<24} fix: {fix}", "");
        }
    }
}

/// Looks at everything. What is missing is no failure.
///
/// # Errors
/// When the runner is there and cannot say which conditions work.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let conditions = conditions()?;
    let instruments = instruments::all();
    if arguments.format == Format::Json {
        let values = |findings: &[Finding]| findings.iter().map(Finding::value).collect::<Vec<_>>();
        let all = json!({ "conditions": values(&conditions), "instruments": values(&instruments) });
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

/// Names of the conditions that work here.
///
/// # Errors
/// When the runner cannot say.
pub(crate) fn available() -> Result<Vec<String>> {
    let found = conditions()?.into_iter().filter(|finding| finding.found);
    Ok(found.map(|finding| finding.name).collect())
}

/// What is not there of what the application on Tomcat needs, with the fix.
pub(crate) fn missing_for_tomcat() -> Vec<String> {
    [instruments::jdk(), instruments::tomcat()]
        .into_iter()
        .filter(|finding| !finding.found)
        .map(|finding| format!("{}: {}", finding.name, finding.fix.unwrap_or(finding.detail)))
        .collect()
}

/// What the runner says of each condition.
fn conditions() -> Result<Vec<Finding>> {
    let bench = paths::binary("runner");
    if !bench.is_file() {
        return Ok(vec![Finding {
            name: "all".into(),
            purpose: "the runner knows which work".into(),
            found: false,
            detail: format!("{} is not there", bench.display()),
            fix: Some("cargo xtask build".into()),
        }]);
    }
    let program = Program::new(bench).arg("places");
    let places: Value = serde_json::from_str(&program.output()?)
        .with_context(|| format!("`{}` did not print JSON; run `cargo xtask build`", program.shown()))?;
    places
        .as_array()
        .with_context(|| format!("`{}` did not print a list; run `cargo xtask build`", program.shown()))?
        .iter()
        .map(|place| {
            let text = |key: &str| place[key].as_str().unwrap_or_default().to_owned();
            let found = place["available"].as_bool().with_context(|| {
                format!(
                    "a place printed by `{}` has no `available`; run `cargo xtask build`",
                    program.shown()
                )
            })?;
            Ok(Finding {
                name: text("name"),
                purpose: text("level"),
                found,
                detail: if text("reason").is_empty() {
                    "works".into()
                } else {
                    text("reason")
                },
                fix: place["fix"].as_str().map(str::to_owned),
            })
        })
        .collect()
}
