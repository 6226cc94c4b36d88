//! `bench`: runs experiments in their conditions, launch by launch.
#![forbid(unsafe_code)]

mod child;
mod cluster;
mod contained;
mod controls;
mod cost;
mod definition;
mod engaged;
mod family;
mod folder;
mod grid;
mod hop;
mod inside;
mod lacking;
mod limits;
mod manifest;
mod measure;
mod memory;
mod neighbour;
mod observe;
mod observed;
mod options;
mod order;
mod output;
mod places;
mod plan;
mod precision;
mod program;
mod record;
mod revision;
mod run;
mod server;
mod setting;
mod spec;
mod stamps;
mod sut;
mod tight_loop;
mod treatment;
mod trial;
mod units;
mod watch;
mod words;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use clusters::{Level, Place};
use monitor::Cgroup;

#[derive(Parser)]
#[command(about = "Runs experiments in their conditions, launch by launch", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an experiment, or go on with it
    Run(options::Options),
    /// Measure what hooks cost a server
    Measure(measure::Options),
    /// Which functions and system calls a server receives by, and whether a hook sees it
    Observe(observe::Options),
    /// Write the experiment that reaches a goal, from a pilot run
    Plan(plan::Options),
    /// Take the delay by which two recorded conditions differ, for a relay
    Jitter(hop::jitter::Options),
    /// Print which conditions can be had here, as JSON
    Places(contained::Engines),
    /// Bring a condition up or down by hand, or list what is there
    #[command(subcommand)]
    Cluster(cluster::Verb),
    #[command(hide = true)]
    Relay(hop::relay::Options),
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
        place: Place,
        level: Level,
    },
    #[command(hide = true)]
    Start {
        #[arg(long)]
        parent: u32,
        #[arg(long)]
        cpu: Option<usize>,
        #[arg(long, value_parser = group)]
        group: Option<Cgroup>,
        #[arg(long = "env")]
        environment: Vec<String>,
        #[arg(last = true)]
        command: Vec<String>,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Places(engines) => places::print(&engines),
        Command::Cluster(verb) => cluster::run(&verb),
        Command::Measure(options) => measure::run(&options),
        Command::Observe(options) => observe::run(&options),
        Command::Plan(options) => plan::run(&options),
        Command::Jitter(options) => hop::jitter::make(&options),
        Command::Relay(options) => hop::relay::run(&options),
        Command::Launch { parent, spec } => child::enter(parent, &spec),
        Command::Inside { parent, spec } => child::run(parent, &spec),
        Command::Try { parent, place, level } => child::enter_and_build(parent, place, level),
        Command::Start {
            parent,
            cpu,
            group,
            environment,
            command,
        } => child::start(parent, cpu, group.as_ref(), &environment, &command),
    }
}

/// A control group, as one process of ours tells another.
fn group(text: &str) -> serde_json::Result<Cgroup> {
    serde_json::from_str(text)
}
