//! Process 1 of each container, and what is asked of it there by further processes: starting a server, telling when it
//! listens and whether the hook is in it, stopping it, handing out files whole.
//!
//! Whatever it tells is one line of JSON on standard output; the types are in [`agent`].
#![forbid(unsafe_code)]

mod arm;
mod ask;
mod copy;
mod export;
mod first;
mod looped;
mod processor;
mod sample;
mod sockets;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::processor::Processor;

#[derive(Parser)]
#[command(
    name = "agent",
    about = "Process 1 of each container, and what is asked of it there",
    version
)]
struct Flags {
    /// Folder in memory for what this container's processes tell each other
    #[arg(long, default_value = "/work")]
    work: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// As process 1: wait for `start`, run what that says, and stay after it has ended
    Arm {
        /// Which of the processors that this container may use
        #[arg(long, value_enum)]
        processor: Processor,
    },
    /// As process 1: do nothing until SIGTERM
    Idle,
    /// Tell process 1 what to start: a line of JSON on standard input
    Start,
    /// Wait until the server listens or has ended, and tell which
    Ready {
        /// Longest wait, in seconds
        #[arg(long, default_value_t = 60)]
        timeout_s: u64,
    },
    /// Tell whether a library is in all processes that listen on a port, and how the server is
    Evidence {
        /// The port
        #[arg(long)]
        port: u16,
        /// The library
        #[arg(long)]
        library: PathBuf,
    },
    /// Stop the server and tell how it ended
    Stop,
    /// Make receive calls without a server, as a line of JSON on standard input says, and tell how long they took
    TightLoop,
    /// Tell what this container may use and what it has used
    Limits,
    /// Tell where a process of this container that is confined to one of its processors runs
    Place {
        /// Which of them
        #[arg(long, value_enum)]
        processor: Processor,
    },
    /// Begin to sample what this container's program uses, ten times a second; returns after the first sample
    Watch(sample::Whom),
    /// End the sampling, and tell what was sampled
    Watched,
    /// Sample until SIGTERM
    #[command(hide = true)]
    Sample(sample::Whom),
    /// Copy a file, for other containers of the pod
    Copy {
        /// The file
        from: PathBuf,
        /// Its new name
        to: PathBuf,
    },
    /// Print a file: a line with its length and SHA-256, its bytes; then wait until a line `received` comes
    Export {
        /// The file
        path: PathBuf,
    },
}

fn main() -> Result<ExitCode> {
    let flags = Flags::parse();
    match flags.verb {
        Verb::Arm { processor } => arm::run(&flags.work, processor)?,
        Verb::Start => arm::tell(&flags.work)?,
        Verb::TightLoop => looped::run(&flags.work)?,
        Verb::Idle => first::Signals::block()?.idle()?,
        Verb::Ready { timeout_s } => ask::ready(&flags.work, timeout_s)?,
        Verb::Evidence { library, port } => ask::evidence(&flags.work, &library, port)?,
        Verb::Stop => ask::stop(&flags.work)?,
        Verb::Limits => ask::limits()?,
        Verb::Watch(whom) => sample::begin(&flags.work, &whom)?,
        Verb::Watched => sample::end(&flags.work)?,
        Verb::Sample(whom) => sample::run(&flags.work, &whom)?,
        Verb::Copy { from, to } => copy::run(&from, &to)?,
        Verb::Place { processor } => ask::print(&processor::confine(processor)?)?,
        Verb::Export { path } => export::run(&path)?,
    }
    Ok(ExitCode::SUCCESS)
}
