//! `cluster`: what `cargo xtask cluster` and `cargo xtask inject` launch.
#![forbid(unsafe_code)]

mod verbs;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cluster",
    about = "Clusters brought up and taken down; the hook put into workloads"
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Create a cluster; what it costs is said before, and asked
    Up(verbs::provision::Up),
    /// Delete a cluster and whatever belongs to it, also what a crash left
    Down(verbs::provision::Which),
    /// What there is of a cluster
    Status(verbs::provision::Status),
    /// Write the image with the hook into a file, for a registry of yours
    Image(verbs::image::Arguments),
    /// Put the hook into a workload, or take it out again
    Inject(verbs::inject::Arguments),
}

fn main() -> ExitCode {
    match dispatch(Arguments::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(verb: Verb) -> Result<()> {
    match verb {
        Verb::Up(arguments) => verbs::provision::up(&arguments),
        Verb::Down(arguments) => verbs::provision::down(&arguments),
        Verb::Status(arguments) => verbs::provision::status(&arguments),
        Verb::Image(arguments) => verbs::image::run(&arguments),
        Verb::Inject(arguments) => verbs::inject::run(&arguments),
    }
}
