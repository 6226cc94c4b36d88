//! `cargo xtask VERB`: the command line; each verb has a file.
#![forbid(unsafe_code)]

mod analyze;
mod archive;
mod bench;
mod build;
mod calibrate;
mod challenge;
mod claims;
mod cluster;
mod container_options;
mod definition;
mod doctor;
mod figures;
mod fuzz;
mod import;
mod inject;
mod measure;
mod notebooks;
mod observe;
mod output;
mod paper;
mod paths;
mod plan;
mod programs;
mod python;
mod record;
mod report;
mod reproduce;
mod run;
mod runs;
mod server_options;
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
    about = "Builds, measures, analyses and checks this project",
    arg_required_else_help = true
)]
struct Xtask {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build, import, measure, analyse, report and run the notebooks, as far as this machine can; a second call resumes
    Reproduce(reproduce::ReproduceCommand),
    /// Build everything in release mode: hook, system under test, load generator, runner, report
    Build,
    /// List the conditions and instruments that work here, and for each other one the reason and the fix
    Doctor(doctor::DoctorCommand),
    /// Measure the cost of your hooks for your server: latency, throughput, processor time and memory, with controls
    Measure(Box<measure::MeasureCommand>),
    /// Measure one experiment
    Run(Box<run::RunCommand>),
    /// Create or remove the containers or cluster of a condition, or list them
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Record the registered plan on this machine, from a clean commit; a second call resumes
    Record(record::RecordCommand),
    /// Add the hook to a Kubernetes workload, as deployment/NAME, or remove it
    #[command(disable_help_flag = true)]
    Inject(inject::InjectCommand),
    /// Write the experiment that reaches a precision or finds an effect, from a pilot run, and print how long it takes
    Plan(plan::PlanCommand),
    /// Measure known delays, and count how often the intervals cover them, with the interleaved and the sequential design
    Calibrate(calibrate::CalibrateCommand),
    /// Examine the instrument with delays that it does not know, and count how often its intervals contain them
    Challenge(challenge::ChallengeCommand),
    /// Simulate experiments with recorded noise and a known effect, and count how often the intervals cover the effect
    Simulate(simulate::SimulateCommand),
    /// Convert foreign recordings to the project's format
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Print the effects of a run, or the recomputed numbers of the 2023 study
    Analyze(analyze::AnalyzeCommand),
    /// Judge the study's ten recommendations by all runs on this machine
    Claims(claims::ClaimsCommand),
    /// Draw a run's figures as SVG and PNG
    Figures(figures::FiguresCommand),
    /// Execute the notebooks and export them as HTML
    Notebooks(notebooks::NotebooksCommand),
    /// Write a run's HTML report
    Report(report::ReportCommand),
    /// Compile the paper, and compare its numbers with those of the recorded runs
    Paper(paper::PaperCommand),
    /// Pack sources, dependencies and recordings into one file, which builds and analyses without a network
    Archive(archive::ArchiveCommand),
    /// Compile a list of words into a file for READHOOK_WORDS
    Words(words::WordsCommand),
    /// Compare the hook, the load generator or the analysis with other programs, side by side
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// List the functions and system calls by which a server receives, and whether a hook sees the payload
    Observe(observe::ObserveCommand),
    /// Fuzz the hook's logic, with every memory access checked
    Fuzz(fuzz::FuzzCommand),
    /// Run the checks of continuous integration, and with --all the long ones; prints the time of each step
    Test(test::TestCommand),
    /// Check the invariants that ARCHITECTURE.md promises
    Tidy,
}

fn main() -> ExitCode {
    match dispatch(Xtask::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(verb: Verb) -> Result<ExitCode> {
    let called_from = std::env::current_dir().context("reading the current folder")?;
    let root = paths::root();
    std::env::set_current_dir(&root).with_context(|| format!("entering the project's folder {}", root.display()))?;
    match verb {
        Verb::Reproduce(arguments) => reproduce::run(&arguments),
        Verb::Build => build::run(),
        Verb::Cluster(arguments) => cluster::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Measure(arguments) => return measure::run(&arguments, &called_from),
        Verb::Run(arguments) => run::run(&arguments),
        Verb::Record(arguments) => record::run(&arguments),
        Verb::Inject(arguments) => inject::run(&arguments),
        Verb::Plan(arguments) => plan::run(&arguments),
        Verb::Calibrate(arguments) => calibrate::run(&arguments),
        Verb::Challenge(arguments) => challenge::run(&arguments),
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
        Verb::Observe(arguments) => observe::run(&arguments, &called_from),
        Verb::Fuzz(arguments) => fuzz::run(&arguments),
        Verb::Test(command) => test::run(&command),
        Verb::Tidy => tidy::run(),
    }?;
    Ok(ExitCode::SUCCESS)
}
