//! The agent: process 1 of each container. Further processes of the same program carry out single requests there: they start
//! a server, wait until it is ready, look for the hook in it, stop it, and hand out files.
//!
//! Each answer is one line of JSON on standard output; the types are in [`agent`].
#![forbid(unsafe_code)]

mod copy;
mod export;
mod listeners;
mod placement;
mod process_one;
mod requests;
mod sampling;
mod supervisor;
mod tight_loop_request;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::placement::ProcessorChoice;

#[derive(Parser)]
#[command(
    name = "agent",
    about = "Process 1 of each container, and the requests that are carried out in it",
    version
)]
struct AgentCommand {
    /// Folder in memory that the processes of this container share
    #[arg(long, default_value = "/work")]
    work: PathBuf,
    #[command(subcommand)]
    verb: AgentVerb,
}

#[derive(Subcommand)]
enum AgentVerb {
    /// As process 1: wait for `start`, run that program, and stay after it has ended
    Arm {
        /// The processor, among those that this container may use
        #[arg(long, value_enum)]
        processor: ProcessorChoice,
    },
    /// As process 1: do nothing until SIGTERM
    Idle,
    /// Pass a program to process 1, which starts it: a line of JSON on standard input
    Start,
    /// Wait until the server is ready or has ended, and print its status
    Ready {
        /// Longest wait, in seconds
        #[arg(long, default_value_t = 60)]
        timeout_s: u64,
    },
    /// Print whether a library is mapped in all processes that listen on a port, and the server's status
    Evidence {
        /// The port
        #[arg(long)]
        port: u16,
        /// The library
        #[arg(long)]
        library: PathBuf,
    },
    /// Stop the server and print its status before the stop
    Stop,
    /// Make receive calls without a server, by a line of JSON on standard input, and print the times that they took
    TightLoop,
    /// Print the counts and limits of this container's control group
    Usage,
    /// Confine this process to a processor, and print which one it is
    Confine {
        /// The processor, among those that this container may use
        #[arg(long, value_enum)]
        processor: ProcessorChoice,
    },
    /// Start to sample the resources of this container's program, ten times a second; returns after the first sample
    StartSampling(sampling::SamplingOptions),
    /// End the sampling and print the samples
    StopSampling,
    /// Sample until SIGTERM
    #[command(hide = true)]
    Sample(sampling::SamplingOptions),
    /// Copy a file, for other containers of the pod
    Copy {
        /// The file
        from: PathBuf,
        /// The path of the copy
        to: PathBuf,
    },
    /// Print a line with a file's length and SHA-256, then its bytes; then wait for the line `received`
    Export {
        /// The file
        path: PathBuf,
    },
}

fn main() -> Result<ExitCode> {
    let AgentCommand { work, verb } = AgentCommand::parse();
    match verb {
        AgentVerb::Arm { processor } => supervisor::run(&work, processor)?,
        AgentVerb::Start => supervisor::request_start(&work)?,
        AgentVerb::TightLoop => tight_loop_request::run(&work)?,
        AgentVerb::Idle => process_one::Signals::block()?.idle()?,
        AgentVerb::Ready { timeout_s } => requests::wait_until_ready(&work, timeout_s)?,
        AgentVerb::Evidence { library, port } => requests::print_evidence(&work, &library, port)?,
        AgentVerb::Stop => requests::stop_server(&work)?,
        AgentVerb::Usage => requests::print_usage()?,
        AgentVerb::StartSampling(options) => sampling::start(&work, &options)?,
        AgentVerb::StopSampling => sampling::stop(&work)?,
        AgentVerb::Sample(options) => sampling::run(&work, &options)?,
        AgentVerb::Copy { from, to } => copy::run(&from, &to)?,
        AgentVerb::Confine { processor } => requests::print(&placement::confine(processor)?)?,
        AgentVerb::Export { path } => export::run(&path)?,
    }
    Ok(ExitCode::SUCCESS)
}
