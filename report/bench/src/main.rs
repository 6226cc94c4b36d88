//! `report-bench`: how fast the analysis is, and how much memory it takes.
#![forbid(unsafe_code)]

mod generate;
mod measure;
mod scale;
mod study;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "How fast the analysis is, and how much memory it takes", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A large made-up run: the analysis beside merely decoding its columns
    Scale(scale::Options),
    /// The study's statistics and both figures: ours beside pandas, SciPy and matplotlib
    Study(study::Options),
    /// Analyse a run once and print seconds and memory
    #[command(hide = true)]
    Analyse { run: PathBuf },
    /// Decode a run's columns once and print seconds and memory
    #[command(hide = true)]
    Decode { run: PathBuf },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Scale(options) => scale::run(&options),
        Command::Study(options) => study::run(&options),
        Command::Analyse { run } => measure::analyse(&run),
        Command::Decode { run } => measure::decode(&run),
    }
}
