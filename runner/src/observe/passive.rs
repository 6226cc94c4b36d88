//! A program that is run with the hook until it ends, whatever reaches it: what the hook saw of it, and what it cannot.

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

/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long a program may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// The report.
#[derive(Debug, Serialize)]
struct PassiveReport {
    command: Vec<String>,
    #[serde(flatten)]
    coverage: HookCoverage,
    /// What the hook cannot see here, and why.
    not_covered: BTreeSet<BlindSpot>,
}

/// Runs the program until it ends or Ctrl-C, which is passed on to it, and prints the report.
pub(super) fn run(options: &ObservationCommand) -> Result<()> {
    let hook = std::path::absolute(&options.own_hook)?;
    if !hook.is_file() {
        bail!("{} is not there; `cargo xtask build` makes it", hook.display());
    }
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

/// Asks the program to end, and after a while makes it.
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
    bail!("the program ended with {status}; what the hook saw until then stands above")
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
