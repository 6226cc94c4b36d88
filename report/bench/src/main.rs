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
struct BenchCommandLine {
    #[command(subcommand)]
    command: BenchVerb,
}

#[derive(Subcommand)]
enum BenchVerb {
    /// A large made-up run: the analysis beside merely decoding its columns
    Scale(scale::ScaleOptions),
    /// The study's statistics and both figures: ours beside pandas, SciPy and matplotlib
    Study(study::StudyOptions),
    /// Analyse a run once and print seconds and memory
    #[command(hide = true)]
    Analyse { run: PathBuf },
    /// Decode a run's columns once and print seconds and memory
    #[command(hide = true)]
    Decode { run: PathBuf },
}

fn main() -> Result<()> {
    match BenchCommandLine::parse().command {
        BenchVerb::Scale(options) => scale::run(&options),
        BenchVerb::Study(options) => study::run(&options),
        BenchVerb::Analyse { run } => measure::analyse(&run),
        BenchVerb::Decode { run } => measure::decode(&run),
    }
}
