//! The command line of the load generator. It prints the summary as JSON on standard output and all else on standard error.
#![forbid(unsafe_code)]

mod command_line;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use loadgen::LoadgenError;
use model::{LaunchPlan, LoadSummary};

use crate::command_line::{LoadgenCommand, LoadgenCommandLine};

fn main() -> anyhow::Result<ExitCode> {
    let (plan, strict, by_hand) = match LoadgenCommandLine::parse().command {
        LoadgenCommand::Run { plan, strict } => (loadgen::read_plan(&plan)?, strict, false),
        LoadgenCommand::Send(arguments) => {
            let strict = arguments.strict;
            (arguments.plan()?, strict, true)
        }
    };
    loadgen::stop_on_signals().map_err(LoadgenError::Signals)?;
    let summary = loadgen::run(&plan)?;
    let failure = failure(&plan, &summary, strict);
    // The runner counts the warnings of all launches and prints the counts once.
    if by_hand || failure.is_some() {
        for warning in summary.warnings() {
            eprintln!("loadgen: {warning}");
        }
    }
    println!(
        "{}",
        serde_json::to_string_pretty(&summary).context("cannot print the summary")?
    );
    if let Some(signal) = loadgen::received_signal() {
        eprintln!(
            "loadgen: stopped by a signal after {} of {} rounds; {} has their observations",
            summary.rounds,
            plan.rounds,
            plan.output.display()
        );
        return Ok(ExitCode::from(128 + u8::try_from(signal)?));
    }
    Ok(match failure {
        Some(message) => {
            eprintln!("loadgen: {message}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    })
}

/// Returns the reason for which the run failed, or `None` if it succeeded.
fn failure(plan: &LaunchPlan, summary: &LoadSummary, strict: bool) -> Option<String> {
    let output = plan.output.display();
    if let Some(rate) = summary.rate.filter(|rate| !rate.held) {
        return Some(format!(
            "the plan requests {} requests per second, but only {:.1} were reached; reduce the rate or allow more \
             connections; {output} has the observations",
            rate.requested_per_s, rate.reached_per_s,
        ));
    }
    if summary.error_share > plan.max_error_share || !summary.finished {
        return Some(format!(
            "{} of {} requests failed, but max_error_share allows a share of {}{}; see the column outcome in {output}",
            summary.errors.values().sum::<u64>(),
            summary.observations,
            plan.max_error_share,
            if summary.finished {
                ""
            } else {
                ", so the run was stopped"
            },
        ));
    }
    (strict && summary.failed_checks().next().is_some()).then(|| "--strict: a check failed, see above".to_owned())
}
