//! `runner run`: an experiment, its levels of load, or a grid.

use anyhow::{Context, Result, ensure};

use crate::command_line::run_options::{ExperimentCommand, experiments};
use crate::launch::installation::Installation;
use crate::load;
use crate::run::RunEnvironment;
use crate::signals::stop_flag;

/// Runs an experiment, or all cells of a grid: launch 0 of every cell, then launch 1 of every cell, and so on.
pub(crate) fn run(options: &ExperimentCommand) -> Result<()> {
    let stopped = stop_flag()?;
    let setting = Installation::find(options.hook.as_deref())?;
    let environment = RunEnvironment::new(&setting, &options.engines, &stopped);
    let invalid = load::all(experiments(options)?, &options.out, environment)?;
    let arguments: Vec<String> = std::env::args().collect();
    let command = shlex::try_join(arguments.iter().map(String::as_str)).context("the command line has a zero byte")?;
    println!("again with: {command}");
    ensure!(
        !options.strict || invalid == 0,
        "--strict: {invalid} launches failed a check; their records in {} say which",
        options.out.display()
    );
    Ok(())
}
