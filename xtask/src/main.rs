//! `cargo xtask VERB`: dispatches, one file per verb.
#![forbid(unsafe_code)]

mod build;
mod import;
mod paths;
mod programs;
mod test;
mod tidy;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Everything this project does, by verb",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build everything in release mode: hook, system under test, load generator, runner, report
    Build,
    /// Bring foreign recordings into the project's own format
    #[command(subcommand)]
    Import(import::Arguments),
    /// All that CI runs: formatting, lints, tests, documentation, invariants, a smoke run, the notebook
    Test,
    /// Check the invariants that ARCHITECTURE.md promises
    Tidy,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let root = paths::root();
    std::env::set_current_dir(&root).with_context(|| format!("entering the project's folder {}", root.display()))?;
    match arguments.verb {
        Verb::Build => build::run(),
        Verb::Import(arguments) => import::run(&arguments),
        Verb::Test => test::run(),
        Verb::Tidy => tidy::run(),
    }
}
