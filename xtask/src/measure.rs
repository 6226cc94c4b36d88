//! `cargo xtask measure`: measures the cost of a hook for a server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::output::OutputFormat;
use crate::programs::Program;
use crate::runs::{RunName, report_of};
use crate::server_options::ServerOptions;
use crate::{build, paths};

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 all hooks were measured; 1 an error; 3 a hook costs more than --fail-above; \
                        4 a hook could not be measured, since the server crashes or hangs with it, answers \
                        differently, or does not load it."
)]
pub(crate) struct MeasureCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// Stop when half of each 95 % interval is at most this, as 100ns or 0.2us; not before ten launches [default: 100ns]
    #[arg(long)]
    precision: Option<String>,
    /// Begin no further launch after this time, as 90s or 10min, once there are ten [default: 75s]
    #[arg(long)]
    budget: Option<String>,
    /// End with exit status 3 where the whole interval of an effect on the median lies above this, as 20us
    #[arg(long, value_parser = nanoseconds)]
    fail_above: Option<f64>,
    /// Measure the capacity of the server, and latencies with random arrivals at shares of it, with and without the hooks
    #[arg(long, conflicts_with_all = ["precision", "budget", "fail_above", "format"])]
    load: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Folder of the run [default: a new one in data/runs]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
}

/// Builds the programs, measures and reports.
///
/// # Errors
/// When no hook is named, the build fails, the server cannot be started without a hook, or the measurement is stopped.
pub(crate) fn run(arguments: &MeasureCommand, called_from: &Path) -> Result<ExitCode> {
    ensure!(
        !arguments.server.hooks.is_empty(),
        "no hook is named; name one by --hook FILE"
    );
    build::run()?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        // A measurement is short and starts afresh.
        None => RunName::new(if arguments.load { "measure-load" } else { "measure" }, &[])
            .new_folder(Path::new(paths::RUNS))?,
    };
    let runner = Program::new(paths::binary("runner"))
        .arg("measure")
        .options("--precision", &arguments.precision)
        .options("--budget", &arguments.budget)
        .options("--out", [&out])
        .flag("--load", arguments.load);
    arguments.server.given(runner, called_from).run_aside()?;
    if arguments.load {
        let report = Program::new(paths::binary("report")).arg("exhibit");
        let report = report.options("--run", [&out]).options("--out", [report_of(&out)]);
        report.run()?;
        return Ok(ExitCode::SUCCESS);
    }
    Program::new(paths::binary("report"))
        .arg("hook-costs")
        .options("--run", [&out])
        .options("--out", [report_of(&out)])
        .options("--format", [arguments.format.name()])
        .options(
            "--fail-above-ns",
            arguments.fail_above.map(|above_ns| above_ns.to_string()),
        )
        .status()
}

fn nanoseconds(text: &str) -> Result<f64> {
    let units = [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6)];
    let found = units
        .iter()
        .find_map(|(unit, unit_ns)| Some((text.strip_suffix(unit)?, unit_ns)));
    let (number, unit_ns) = found.context("expected a number with a unit: ns, us, ms")?;
    let number: f64 = number.parse().with_context(|| format!("{number:?} is not a number"))?;
    anyhow::ensure!(number.is_finite() && number >= 0.0, "expected 0 or more");
    Ok(number * unit_ns)
}
