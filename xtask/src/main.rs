//! `cargo xtask VERB`: dispatches, one file per verb.
#![forbid(unsafe_code)]

mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Everything this project does, by verb",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// All that CI runs: formatting, lints, tests, documentation
    Test,
}

fn main() -> Result<()> {
    match Arguments::parse().verb {
        Verb::Test => test::run(),
    }
}
