//! `cargo xtask test`: the checks of continuous integration, in two tiers. Every step runs, also after one that failed.

mod archived;
mod count;
mod outcome;
mod rebuilt;
mod steps;
mod supply;

use std::time::Instant;

use anyhow::{Result, bail};

use crate::build;
use count::Count;
use outcome::Skipped;
use steps::{STEPS, Step, Tier};

#[derive(clap::Args)]
pub(crate) struct TestCommand {
    /// Run the second tier too: long and repeated tests, up to two hours
    #[arg(long)]
    all: bool,
    /// Begin with this step; --list prints the names
    #[arg(long, value_name = "NAME", value_parser = step)]
    step: Option<&'static Step>,
    /// Run this step alone; may be given several times
    #[arg(long, value_name = "NAME", value_parser = step, conflicts_with = "step")]
    only: Vec<&'static Step>,
    /// Print the steps with their tiers and run none
    #[arg(long)]
    list: bool,
}

/// The step of this name.
fn step(name: &str) -> Result<&'static Step, String> {
    let found = STEPS.iter().find(|step| step.name == name);
    found.ok_or_else(|| format!("there is no step `{name}`; `cargo xtask test --list` prints all"))
}

/// Runs the chosen steps and prints the time of each and the count of tests.
///
/// # Errors
/// When a step fails.
pub(crate) fn run(command: &TestCommand) -> Result<()> {
    if command.list {
        for step in &STEPS {
            println!("{:<19} {:<12} {}", step.name, step.tier.to_string(), step.purpose);
        }
        return Ok(());
    }
    build::use_tested_binaries();
    let mut count = Count::default();
    let mut report = Report::default();
    for step in chosen(command) {
        report.take(step, &mut count);
    }
    report.summary();
    count.skipped_steps = std::mem::take(&mut report.skipped);
    for skipped in count.skipped.iter().chain(&count.skipped_steps) {
        println!("skipped: {skipped}");
    }
    // Once more, because thousands of lines stand between them and the end.
    for line in &count.failures {
        println!("{line}");
    }
    if count.second_tier > 0 && !command.all {
        println!(
            "{} tests are in the second tier, which `cargo xtask test --all` runs",
            count.second_tier
        );
    }
    if count.expected && count.passed + count.failed == 0 {
        report.failed.push("tests (none ran)");
    }
    let failed = report.failed.join(", ");
    println!("{count}");
    if !failed.is_empty() {
        bail!("failed: {failed}; the messages stand above");
    }
    Ok(())
}

/// The steps that the command line asks for, in their order.
fn chosen(command: &TestCommand) -> Vec<&'static Step> {
    if !command.only.is_empty() {
        return STEPS
            .iter()
            .filter(|step| command.only.iter().any(|only| only.name == step.name))
            .collect();
    }
    let first = command.step.map_or(STEPS[0].name, |step| step.name);
    let asked = |step: &&Step| match step.tier {
        Tier::First => true,
        // A step of the second tier that is named stands for the rest of that tier.
        Tier::Second => command.all || command.step.is_some_and(|first| first.tier == Tier::Second),
        Tier::ByName => step.name == first,
    };
    STEPS
        .iter()
        .skip_while(|step| step.name != first)
        .filter(asked)
        .collect()
}

/// The results of the steps.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    failed: Vec<&'static str>,
    skipped: Vec<String>,
}

impl Report {
    fn take(&mut self, step: &'static Step, count: &mut Count) {
        let name = step.name;
        eprintln!("== {name}");
        let start = Instant::now();
        let outcome = match (step.work)(count) {
            Ok(()) => "passed".to_owned(),
            Err(reason) if reason.is::<Skipped>() => {
                self.skipped.push(format!("{name}: {reason}"));
                format!("skipped: {reason}")
            }
            Err(error) => {
                self.failed.push(name);
                format!("failed: {error:#}")
            }
        };
        let line = format!("{:8.1} s  {name}: {outcome}", start.elapsed().as_secs_f64());
        eprintln!("== {line}");
        self.lines.push(line);
    }

    fn summary(&self) {
        eprintln!("== all steps");
        for line in &self.lines {
            eprintln!("{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: bool, first: Option<&str>, only: &[&str]) -> Vec<&'static str> {
        let command = TestCommand {
            all,
            step: first.map(|name| step(name).unwrap()),
            only: only.iter().map(|name| step(name).unwrap()).collect(),
            list: false,
        };
        chosen(&command).iter().map(|step| step.name).collect()
    }

    #[test]
    fn the_first_tier_runs_alone_unless_all_is_asked_for_and_applications_run_by_name_only() {
        let tier = |tier: Tier| STEPS.iter().filter(move |step| step.tier == tier).map(|step| step.name);
        let first: Vec<_> = tier(Tier::First).collect();
        assert_eq!(names(false, None, &[]), first);
        assert_eq!(
            names(true, None, &[]),
            first.into_iter().chain(tier(Tier::Second)).collect::<Vec<_>>()
        );
        assert_eq!(names(false, None, &["applications"]), ["applications"]);
        assert_eq!(names(true, Some("applications"), &[]), ["applications"]);
    }

    #[test]
    fn a_step_begins_there_and_goes_on() {
        let from = names(false, Some("paper"), &[]);
        assert_eq!(from, ["paper", "archive", "notebooks"]);
        assert_eq!(names(false, Some("long-tests"), &[])[0], "long-tests");
        assert_eq!(names(true, Some("paper"), &[])[..3], from);
        assert_eq!(names(false, None, &["paper", "lints"]), ["lints", "paper"]);
        assert!(step("paperr").unwrap_err().contains("--list"));
    }
}
