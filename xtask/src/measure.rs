//! `cargo xtask measure`: what a hook costs a server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::programs::Program;
use crate::runs::{Name, report_of};
use crate::{build, paths};

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 all hooks were measured; 1 an error; 3 a hook costs more than --fail-above; \
                        4 a hook could not be measured, since the server crashes or hangs with it, answers \
                        differently, or does not load it."
)]
pub(crate) struct Arguments {
    /// A shared object to be loaded by LD_PRELOAD; once per hook
    #[arg(long = "hook", required = true, value_parser = paths::from_here)]
    hooks: Vec<PathBuf>,
    /// A variable of the server's, with and without a hook, as NAME=VALUE
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,
    /// File with the request, TOML or JSON, instead of GET / or of the server's own
    #[arg(long, value_parser = paths::from_here)]
    request: Option<PathBuf>,
    /// Port on which the server listens, where it is not told one by {port}
    #[arg(long)]
    port: Option<u16>,
    /// Longest time until the server answers, as 30s [default: a minute]
    #[arg(long)]
    ready: Option<String>,
    /// A ready server, such as sut/macro/nginx.toml, instead of a command
    #[arg(long, conflicts_with_all = ["command", "port"], value_parser = paths::from_here)]
    server: Option<PathBuf>,
    /// Stop when half of each 95 % interval is at most this, as 100ns or 0.2us; not before ten launches [default: 100ns]
    #[arg(long)]
    precision: Option<String>,
    /// Begin no further launch after this time, as 90s or 10min, once there are ten [default: 75s]
    #[arg(long)]
    budget: Option<String>,
    /// End with exit status 3 where an effect on the median lies above this with its whole interval, as 20us
    #[arg(long, value_parser = nanoseconds)]
    fail_above: Option<f64>,
    /// Form of the result on standard output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Folder of the run [default: a new one in data/runs]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
    /// The server's command; {port} stands for its port, {dir} for a folder of its own
    #[arg(last = true, required_unless_present = "server")]
    command: Vec<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Builds what is needed, measures and reports.
///
/// # Errors
/// When the build fails, the server cannot be started without a hook, or the measurement is stopped.
pub(crate) fn run(arguments: &Arguments, stood_in: &Path) -> Result<ExitCode> {
    build::run()?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        // A measurement is short, and begins anew.
        None => Name::new("measure", &[]).new_folder(Path::new(paths::RUNS))?,
    };
    let mut bench = Program::new(paths::binary("runner")).arg("measure");
    for hook in &arguments.hooks {
        bench = bench.arg("--hook").arg(hook);
    }
    for variable in &arguments.environment {
        bench = bench.args(["--env", variable]);
    }
    for (flag, path) in [("--request", &arguments.request), ("--server", &arguments.server)] {
        if let Some(path) = path {
            bench = bench.arg(flag).arg(path);
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
            bench = bench.args([flag, value]);
        }
    }
    bench = bench
        .arg("--own-hook")
        .arg(paths::hook())
        .arg("--directory")
        .arg(stood_in);
    bench = bench.arg("--out").arg(&out);
    if !arguments.command.is_empty() {
        bench = bench.arg("--").args(&arguments.command);
    }
    bench.run_aside()?;
    let mut report = Program::new(paths::binary("report"))
        .args(["measured", "--run"])
        .arg(&out);
    report = report.arg("--out").arg(report_of(&out));
    if arguments.format == Format::Json {
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
    let number: f64 = number.parse().with_context(|| format!("{number:?} is no number"))?;
    anyhow::ensure!(number.is_finite() && number >= 0.0, "expected 0 or more");
    Ok(number * unit_ns)
}
