//! `runner`: runs experiments in their conditions, launch by launch.
#![forbid(unsafe_code)]

mod blind_spots;
mod command_line;
mod experiment_file;
mod foreign_hook;
mod launch;
mod observe;
mod planning;
mod preflight;
mod program;
mod proxies;
mod run;
mod signals;
mod treatments;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use model::{IsolationLevel, Topology};
use monitor::ControlGroup;

#[derive(Parser)]
#[command(about = "Runs experiments in their conditions, launch by launch", version)]
struct RunnerArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an experiment, or continue an unfinished run of it
    Run(command_line::run_options::ExperimentCommand),
    /// Measure what hooks cost a server
    Measure(foreign_hook::command::ForeignHookCommand),
    /// Observe by which functions and system calls a server receives payload, and whether a hook sees them
    Observe(observe::command::ObservationCommand),
    /// Write the experiment that reaches a goal, from a pilot run
    Plan(planning::PlanningCommand),
    /// Compute the delays by which two recorded conditions differ, for a relay
    Jitter(proxies::jitter::JitterCommand),
    /// Print as JSON which conditions are available on this machine
    Places(launch::container::EngineOptions),
    /// Bring a condition up or down by hand, or list what is there
    #[command(subcommand)]
    Cluster(command_line::cluster::ClusterCleanupCommand),
    #[command(hide = true)]
    Relay(proxies::relay::RelayCommand),
    #[command(hide = true)]
    Launch {
        #[arg(long)]
        parent: u32,
        spec: PathBuf,
    },
    #[command(hide = true)]
    Inside {
        #[arg(long)]
        parent: u32,
        spec: PathBuf,
    },
    #[command(hide = true)]
    Try {
        #[arg(long)]
        parent: u32,
        place: Topology,
        level: IsolationLevel,
    },
    #[command(hide = true)]
    Start {
        #[arg(long)]
        parent: u32,
        #[arg(long)]
        cpu: Option<usize>,
        #[arg(long, value_parser = group)]
        group: Option<ControlGroup>,
        #[arg(long = "env")]
        environment: Vec<String>,
        #[arg(last = true)]
        command: Vec<String>,
    },
}

fn main() -> Result<()> {
    match RunnerArguments::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Places(engines) => run::availability::print(&engines),
        Command::Cluster(verb) => command_line::cluster::run(&verb),
        Command::Measure(options) => foreign_hook::run(&options),
        Command::Observe(options) => observe::run(&options),
        Command::Plan(options) => planning::run(&options),
        Command::Jitter(options) => proxies::jitter::make(&options),
        Command::Relay(options) => proxies::relay::run(&options),
        Command::Launch { parent, spec } => command_line::child_verbs::launch(parent, &spec),
        Command::Inside { parent, spec } => command_line::child_verbs::inside(parent, &spec),
        Command::Try { parent, place, level } => command_line::child_verbs::try_place(parent, place, level),
        Command::Start {
            parent,
            cpu,
            group,
            environment,
            command,
        } => command_line::child_verbs::start(parent, cpu, group.as_ref(), &environment, &command),
    }
}

/// A control group, as one process of ours tells another.
fn group(text: &str) -> serde_json::Result<ControlGroup> {
    serde_json::from_str(text)
}
