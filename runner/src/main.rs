//! `runner`: runs experiments in their conditions, launch by launch.
#![forbid(unsafe_code)]

mod blind_spots;
mod command_line;
mod experiment_file;
mod foreign_hook;
mod launch;
mod load;
mod observe;
mod planning;
mod preflight;
mod program;
mod proxies;
mod record;
mod run;
mod run_command;
mod signals;
mod starts;
mod treatments;

use anyhow::Result;
use clap::{Parser, Subcommand};
use command_line::child_verbs;

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
    /// Record the registered plan, or continue its recording
    Record(record::RecordingCommand),
    /// Measure the latency that hooks add to a server
    Measure(foreign_hook::command::ForeignHookCommand),
    /// Report the functions and system calls by which a server receives payload, and if a hook replaces them
    Observe(observe::command::ObservationCommand),
    /// Measure the time, the page faults and the memory that a hook adds to the start of a program
    Starts(starts::StartsCommand),
    /// Write the definition of the experiment that reaches a goal, from a pilot run
    Plan(planning::PlanningCommand),
    /// Compute the delays by which two recorded conditions differ, for a relay
    Jitter(proxies::jitter::JitterCommand),
    /// Print as JSON which conditions are available on this machine
    Places(launch::container::EngineOptions),
    /// Prepare the engine of a condition, list the resources of runs in it, or remove them
    #[command(subcommand)]
    Cluster(command_line::cluster::ClusterCleanupCommand),
    #[command(hide = true)]
    Relay(proxies::relay::RelayCommand),
    #[command(hide = true)]
    Launch(child_verbs::LaunchCommand),
    #[command(hide = true)]
    Inside(child_verbs::LaunchCommand),
    #[command(hide = true)]
    Try(child_verbs::TryCommand),
    #[command(hide = true)]
    Start(child_verbs::StartCommand),
}

fn main() -> Result<()> {
    match RunnerArguments::parse().command {
        Command::Run(options) => run_command::run(&options),
        Command::Record(options) => record::run(&options),
        Command::Places(engines) => run::availability::print(&engines),
        Command::Cluster(verb) => command_line::cluster::run(&verb),
        Command::Measure(options) => foreign_hook::run(&options),
        Command::Observe(options) => observe::run(&options),
        Command::Starts(options) => starts::run(&options),
        Command::Plan(options) => planning::run(&options),
        Command::Jitter(options) => proxies::jitter::make(&options),
        Command::Relay(options) => proxies::relay::run(&options),
        Command::Launch(options) => child_verbs::launch(&options),
        Command::Inside(options) => child_verbs::inside(&options),
        Command::Try(options) => child_verbs::try_place(&options),
        Command::Start(options) => child_verbs::start(&options),
    }
}
