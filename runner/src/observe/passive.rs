//! A program that runs with the hook until it ends. Somebody else sends its requests. The report has the counts of the hook and
//! the blind spots.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use model::HookCoverage;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;

use super::command::ObservationCommand;
use crate::blind_spots::{self, BlindSpot, ProcessWatch};
use crate::launch::local::memory_file::MemoryFile;
use crate::launch::telemetry::HookTelemetry;
use crate::signals::stop_flag;

/// Time between two checks of the processes.
const LOOK: Duration = Duration::from_millis(200);
/// Longest time in which the program ends after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(10);

/// The report.
#[derive(Debug, Serialize)]
struct PassiveReport {
    command: Vec<String>,
    #[serde(flatten)]
    coverage: HookCoverage,
    /// Reasons why the hook may not see payload.
    not_covered: BTreeSet<BlindSpot>,
}

/// Runs the program until it ends, and prints the report. Passes Ctrl-C on to the program.
///
/// # Errors
/// If the program cannot be started, or fails.
pub(super) fn run(options: &ObservationCommand) -> Result<()> {
    let hook = std::path::absolute(&options.own_hook)?;
    let mut telemetry = MemoryFile::telemetry(0)?;
    let (program, arguments) = options.command.split_first().context("no program to run")?;
    let stopped = stop_flag()?;
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(options.server.directory.as_deref().unwrap_or(Path::new(".")))
        .envs(
            options
                .server
                .environment
                .iter()
                .filter_map(|variable| variable.split_once('=')),
        )
        .env("LD_PRELOAD", &hook)
        .env("READHOOK_MODE", "track")
        .env("READHOOK_TELEMETRY", &telemetry.path)
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let mut not_covered = BTreeSet::new();
    let mut watch = ProcessWatch::new(&telemetry.path, &hook);
    let mut asked = None;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        not_covered.extend(watch.look());
        if stopped.load(Ordering::Relaxed) {
            end(&mut child, asked.get_or_insert_with(Instant::now))?;
        }
        thread::sleep(LOOK);
    };
    let coverage = dataset::hook_coverage(&HookTelemetry::read(&telemetry.content()?, 0, 0)?.counters);
    if coverage.processes == 0 {
        not_covered.extend(blind_spots::of_program(program));
    }
    let report = PassiveReport {
        command: options.command.clone(),
        coverage,
        not_covered,
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text()?);
    }
    ended_well(status, asked.is_some())
}

/// Sends SIGTERM to the program, and SIGKILL ten seconds after the first signal.
fn end(child: &mut Child, asked: &mut Instant) -> Result<()> {
    if asked.elapsed() > PATIENCE {
        child.kill()?;
    } else {
        kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM)?;
    }
    Ok(())
}

fn ended_well(status: ExitStatus, asked: bool) -> Result<()> {
    if status.success() || asked {
        return Ok(());
    }
    bail!("the program ended with {status}; the report above has the counts until then")
}

impl PassiveReport {
    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let coverage = &self.coverage;
        if coverage.processes == 0 {
            writeln!(text, "no coverage: no process loaded the hook")?;
        } else {
            writeln!(text, "processes that loaded the hook: {}", coverage.processes)?;
            for (function, calls) in &coverage.calls {
                writeln!(text, "  {function:<16} {calls:>10} calls")?;
            }
            writeln!(
                text,
                "sockets accepted: {}, beyond the hook's table: {}",
                coverage.sockets_accepted, coverage.sockets_untracked
            )?;
            writeln!(
                text,
                "payload received from them: {} bytes in {} calls",
                coverage.payload_bytes, coverage.payload_receives
            )?;
            if let Some(share) = coverage.share_without_request() {
                writeln!(
                    text,
                    "calls of receive functions without a request (files, pipes, own connections, no result): {} of {}, {:.1} %",
                    coverage.receive_calls().saturating_sub(coverage.payload_receives),
                    coverage.receive_calls(),
                    100.0 * share
                )?;
            }
            if coverage.payload_receives == 0 {
                writeln!(text, "no coverage: no payload was received through a replaced function")?;
            }
        }
        for spot in &self.not_covered {
            writeln!(text, "not covered: {spot}")?;
        }
        Ok(text)
    }
}
