//! `cargo xtask measure`: measures the cost of a hook for a server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::output::OutputFormat;
use crate::programs::Program;
use crate::runs::{RunName, report_of};
use crate::{build, paths};

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 all hooks were measured; 1 an error; 3 a hook costs more than --fail-above; \
                        4 a hook could not be measured, since the server crashes or hangs with it, answers \
                        differently, or does not load it."
)]
pub(crate) struct MeasureCommand {
    /// Shared object for LD_PRELOAD; once per hook
    #[arg(long = "hook", required = true, value_parser = paths::from_here)]
    hooks: Vec<PathBuf>,
    /// Environment variable of the server, with and without a hook, as NAME=VALUE
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,
    /// File with the request, TOML or JSON [default: GET /, or the request of --server]
    #[arg(long, value_parser = paths::from_here)]
    request: Option<PathBuf>,
    /// Port on which the server listens, where its command has no {port}
    #[arg(long)]
    port: Option<u16>,
    /// Longest time until the server answers, as 30s [default: a minute]
    #[arg(long)]
    ready: Option<String>,
    /// Definition of a server, such as sut/macro/nginx.toml, instead of a command
    #[arg(long, conflicts_with_all = ["command", "port"], value_parser = paths::from_here)]
    server: Option<PathBuf>,
    /// Stop when half of each 95 % interval is at most this, as 100ns or 0.2us; not before ten launches [default: 100ns]
    #[arg(long)]
    precision: Option<String>,
    /// Begin no further launch after this time, as 90s or 10min, once there are ten [default: 75s]
    #[arg(long)]
    budget: Option<String>,
    /// End with exit status 3 where the whole interval of an effect on the median lies above this, as 20us
    #[arg(long, value_parser = nanoseconds)]
    fail_above: Option<f64>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Folder of the run [default: a new one in data/runs]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
    /// Command of the server; {port} stands for its port, {dir} for a folder of its own
    #[arg(last = true, required_unless_present = "server")]
    command: Vec<String>,
}

/// Builds the programs, measures and reports.
///
/// # Errors
/// When the build fails, the server cannot be started without a hook, or the measurement is stopped.
pub(crate) fn run(arguments: &MeasureCommand, stood_in: &Path) -> Result<ExitCode> {
    build::run()?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        // A measurement is short and starts afresh.
        None => RunName::new("measure", &[]).new_folder(Path::new(paths::RUNS))?,
    };
    let mut runner = Program::new(paths::binary("runner")).arg("measure");
    for hook in &arguments.hooks {
        runner = runner.arg("--hook").arg(hook);
    }
    for variable in &arguments.environment {
        runner = runner.args(["--env", variable]);
    }
    for (flag, path) in [("--request", &arguments.request), ("--server", &arguments.server)] {
        if let Some(path) = path {
            runner = runner.arg(flag).arg(path);
        }
    }
    let port = arguments.port.map(|port| port.to_string());
    for (flag, value) in [
        ("--port", &port),
        ("--ready", &arguments.ready),
        ("--precision", &arguments.precision),
        ("--budget", &arguments.budget),
    ] {
        if let Some(value) = value {
            runner = runner.args([flag, value]);
        }
    }
    runner = runner
        .arg("--own-hook")
        .arg(paths::hook())
        .arg("--directory")
        .arg(stood_in);
    runner = runner.arg("--out").arg(&out);
    if !arguments.command.is_empty() {
        runner = runner.arg("--").args(&arguments.command);
    }
    runner.run_aside()?;
    let mut report = Program::new(paths::binary("report"))
        .args(["hook-costs", "--run"])
        .arg(&out);
    report = report.arg("--out").arg(report_of(&out));
    if arguments.format == OutputFormat::Json {
        report = report.args(["--format", "json"]);
    }
    if let Some(fail_above_ns) = arguments.fail_above {
        report = report.arg("--fail-above-ns").arg(fail_above_ns.to_string());
    }
    report.status()
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
