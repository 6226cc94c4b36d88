//! The prober's command line. The summary goes to stdout as JSON, everything else to stderr.

mod command_line;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use loadgen::Error;

use crate::flags::{Flags, Verb};

fn main() -> anyhow::Result<ExitCode> {
    let (plan, strict) = match Flags::parse().verb {
        Verb::Run { plan, strict } => (loadgen::read_plan(&plan)?, strict),
        Verb::Probe(probe) => {
            let strict = probe.strict;
            (probe.plan()?, strict)
        }
    };
    loadgen::stop_on_signals().map_err(Error::Signals)?;
    let summary = loadgen::run(&plan)?;
    for warning in summary.warnings() {
        eprintln!("loadgen: {warning}");
    }
    println!(
        "{}",
        serde_json::to_string_pretty(&summary).context("cannot print the summary")?
    );
    if let Some(signal) = loadgen::received_signal() {
        eprintln!(
            "loadgen: stopped after {} of {} rounds; they are in {}",
            summary.rounds,
            plan.rounds,
            plan.output.display()
        );
        return Ok(ExitCode::from(128 + u8::try_from(signal)?));
    }
    if let Some(rate) = summary.rate.filter(|rate| !rate.held) {
        eprintln!(
            "loadgen: {} requests a second were asked for and {:.1} reached; ask for fewer, or allow more connections; \
             what was sent is in {}",
            rate.requested_per_s,
            rate.reached_per_s,
            plan.output.display()
        );
        return Ok(ExitCode::FAILURE);
    }
    if summary.error_share > plan.max_error_share || !summary.finished {
        eprintln!(
            "loadgen: {} of {} requests failed, more than the share of {} that max_error_share allows{}; see the column \
             status in {}",
            summary.errors.values().sum::<u64>(),
            summary.observations,
            plan.max_error_share,
            if summary.finished {
                ""
            } else {
                ", so the run was stopped"
            },
            plan.output.display(),
        );
        return Ok(ExitCode::FAILURE);
    }
    if strict && summary.failed_checks().next().is_some() {
        eprintln!("loadgen: --strict: a check failed, as said above");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
