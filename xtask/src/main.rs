//! `cargo xtask VERB`: dispatches, one file per verb.
#![forbid(unsafe_code)]

mod analyze;
mod archive;
mod bench;
mod build;
mod calibrate;
mod claims;
mod cluster;
mod definition;
mod doctor;
mod figures;
mod fuzz;
mod import;
mod inject;
mod measure;
mod notebooks;
mod observe;
mod paper;
mod paths;
mod plan;
mod programs;
mod python;
mod report;
mod reproduce;
mod run;
mod runs;
mod simulate;
mod test;
mod tidy;
mod words;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Everything this project does, by verb",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Everything this machine can do: build, import, measure, analyse, report, notebooks; resumes by itself
    Reproduce(reproduce::Arguments),
    /// Build everything in release mode: hook, system under test, load generator, runner, report
    Build,
    /// Which conditions and instruments work here, and for each that does not, why and the fix
    Doctor(doctor::Arguments),
    /// What your hooks cost your server: latency, throughput, processor time, memory, with controls
    Measure(Box<measure::Arguments>),
    /// Measure one experiment
    Run(Box<run::Arguments>),
    /// Bring a condition up or down by hand, or list what is there
    #[command(subcommand)]
    Cluster(cluster::Arguments),
    /// Put the hook into a Kubernetes workload and take it out again, as deployment/NAME
    #[command(disable_help_flag = true)]
    Inject(inject::Arguments),
    /// Write the experiment that reaches a wanted precision or effect, from a pilot run, and say how long it takes
    Plan(plan::Arguments),
    /// Recover known delays, and count how often the intervals hold, by the interleaved and the sequential design
    Calibrate(calibrate::Arguments),
    /// Count how often intervals hold under noise as it was recorded, with made-up experiments whose truth is known
    Simulate(simulate::Arguments),
    /// Bring foreign recordings into the project's own format
    #[command(subcommand)]
    Import(import::Arguments),
    /// Print the effects of a run, or the 2023 study's numbers recomputed
    Analyze(analyze::Arguments),
    /// Hold the study's ten recommendations against all runs that there are
    Claims(claims::Arguments),
    /// Draw a run's figures as SVG and PNG
    Figures(figures::Arguments),
    /// Execute the notebooks and export them as HTML
    Notebooks(notebooks::Arguments),
    /// Write a run's HTML report
    Report(report::Arguments),
    /// Make the paper, whose numbers are held against the recorded runs
    Paper(paper::Arguments),
    /// Pack everything into one file to deposit, which builds and analyses without a network
    Archive(archive::Arguments),
    /// Compile a list of words into the file that READHOOK_WORDS names
    Words(words::Arguments),
    /// Compare side by side with others, in one run
    #[command(subcommand)]
    Bench(bench::Arguments),
    /// By which functions and system calls a server receives, and whether a hook sees it
    Observe(observe::Arguments),
    /// Try inputs on the hook's logic, with every memory access checked
    Fuzz(fuzz::FuzzCommand),
    /// All that CI runs: formatting, lints, tests, documentation, invariants, a smoke run, the notebook
    Test(test::TestCommand),
    /// Check the invariants that ARCHITECTURE.md promises
    Tidy(tidy::TidyCommand),
}

fn main() -> ExitCode {
    match dispatch(Arguments::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(verb: Verb) -> Result<ExitCode> {
    let stood_in = std::env::current_dir().context("the present folder")?;
    let root = paths::root();
    std::env::set_current_dir(&root).with_context(|| format!("entering the project's folder {}", root.display()))?;
    match verb {
        Verb::Reproduce(arguments) => reproduce::run(&arguments),
        Verb::Build => build::run(),
        Verb::Cluster(arguments) => cluster::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Measure(arguments) => return measure::run(&arguments, &stood_in),
        Verb::Run(arguments) => run::run(&arguments),
        Verb::Inject(arguments) => inject::run(&arguments),
        Verb::Plan(arguments) => plan::run(&arguments),
        Verb::Calibrate(arguments) => calibrate::run(&arguments),
        Verb::Simulate(arguments) => simulate::run(&arguments),
        Verb::Import(arguments) => import::run(&arguments),
        Verb::Analyze(arguments) => analyze::run(&arguments),
        Verb::Claims(arguments) => claims::run(&arguments),
        Verb::Figures(arguments) => figures::run(&arguments),
        Verb::Notebooks(arguments) => notebooks::run(&arguments),
        Verb::Report(arguments) => report::run(&arguments),
        Verb::Paper(arguments) => paper::run(&arguments),
        Verb::Archive(arguments) => archive::run(&arguments),
        Verb::Words(arguments) => words::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::Observe(arguments) => observe::run(&arguments, &stood_in),
        Verb::Fuzz(arguments) => fuzz::run(&arguments),
        Verb::Test(command) => test::run(&command),
        Verb::Tidy(command) => tidy::run(&command),
    }?;
    Ok(ExitCode::SUCCESS)
}
