//! `cargo xtask plan`: writes the experiment that reaches a goal, from a pilot run.

use std::path::PathBuf;

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths, runs};

#[derive(clap::Args)]
pub(crate) struct PlanCommand {
    /// Folder of the pilot [default: the latest finished run]
    #[arg(long, value_parser = paths::from_here)]
    run: Option<PathBuf>,
    #[command(flatten)]
    goal: PrecisionGoal,
    /// Plan for this contrast alone; may be given several times [default: all that compare medians]
    #[arg(long = "contrast")]
    contrasts: Vec<String>,
    /// The definition to write [default: data/plans/RUN.toml]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct PrecisionGoal {
    /// Wanted half-width of each contrast's 95 % interval, as 100ns or 0.1us
    #[arg(long)]
    precision: Option<String>,
    /// Effect to find with 80 % power, as 0.5us
    #[arg(long)]
    effect: Option<String>,
}

/// Writes the definition and prints how long the experiment takes.
///
/// # Errors
/// When no run is finished, or the run cannot be a pilot.
pub(crate) fn run(arguments: &PlanCommand) -> Result<()> {
    build::release(&["runner"]).run()?;
    let pilot = runs::chosen(arguments.run.as_deref())?;
    let out = arguments.out.clone().unwrap_or_else(|| {
        let name = pilot.file_name().unwrap_or("run".as_ref());
        PathBuf::from(paths::PLANS).join(name).with_added_extension("toml")
    });
    Program::new(paths::binary("runner"))
        .arg("plan")
        .options("--run", [&pilot])
        .options("--precision", &arguments.goal.precision)
        .options("--effect", &arguments.goal.effect)
        .options("--contrast", &arguments.contrasts)
        .options("--out", [&out])
        .run()?;
    println!("measure it with: cargo xtask run {}", out.display());
    Ok(())
}
