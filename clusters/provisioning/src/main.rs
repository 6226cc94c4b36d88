//! `cluster`: the program behind `cargo xtask cluster` for kind and EKS, and behind `cargo xtask inject`.
#![forbid(unsafe_code)]

mod verbs;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cluster",
    about = "Brings clusters up and takes them down; puts the hook into workloads"
)]
struct ProvisioningCommand {
    #[command(subcommand)]
    verb: ClusterVerb,
}

#[derive(Subcommand)]
enum ClusterVerb {
    /// Create a cluster; prints the cost first and asks
    Up(verbs::provision::UpOptions),
    /// Delete a cluster and all resources that belong to it, also those that a crash left
    Down(verbs::provision::ProvisioningOptions),
    /// Print the existing resources of a cluster
    Status(verbs::provision::ProvisioningOptions),
    /// Write the image with the hook into a file, for a registry of yours
    Image(verbs::image::ImageOptions),
    /// Put the hook into a workload, or take it out again
    Inject(verbs::inject::InjectOptions),
}

fn main() -> ExitCode {
    match run(ProvisioningCommand::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: ClusterVerb) -> Result<()> {
    match verb {
        ClusterVerb::Up(options) => verbs::provision::up(&options),
        ClusterVerb::Down(options) => verbs::provision::down(&options),
        ClusterVerb::Status(options) => verbs::provision::status(&options),
        ClusterVerb::Image(options) => verbs::image::run(&options),
        ClusterVerb::Inject(options) => verbs::inject::run(&options),
    }
}
