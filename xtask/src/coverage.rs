//! `cargo xtask coverage -- CMD…`: what the hook sees of a program, and what it cannot.

use std::ffi::OsString;

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Form of the report on standard output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The program and its arguments; it runs until it ends, or until Ctrl-C
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Builds what is needed and runs the program with the hook.
///
/// # Errors
/// When the program cannot be started or fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    build::run()?;
    let mut program = Program::new(paths::binary("bench"))
        .args(["coverage", "--hook"])
        .arg(paths::hook());
    if arguments.format == Format::Json {
        program = program.arg("--json");
    }
    program.arg("--").args(&arguments.command).run()
}
