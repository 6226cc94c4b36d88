//! Instructions in user space per request, counted by callgrind, of the load generator and of the C ping-pong. A count has
//! no noise. Both programs sleep while they wait, because a program that spins executes more instructions the longer it
//! waits.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Number of requests of the shorter of two runs. The difference of the two runs has no instructions of start and end.
const REQUESTS: u32 = 2_000;

/// Instructions per request.
pub(crate) struct InstructionCounts {
    pub(crate) loadgen: f64,
    pub(crate) ping_pong: f64,
}

/// Counts the instructions per request.
///
/// # Errors
/// When valgrind is not installed or a program fails.
pub(crate) fn count(loadgen: &Path, floor: &Path, port: u16, folder: &Path) -> Result<InstructionCounts> {
    let loadgen = |requests: u32| {
        let mut command = callgrind(loadgen);
        command
            .args(["send", "--wait", "sleep", "--rounds", &requests.to_string(), "--arm"])
            .arg(format!("a=127.0.0.1:{port}"))
            .arg("--out")
            .arg(folder.join("counted.parquet"));
        command
    };
    let ping_pong = |requests: u32| {
        let mut command = callgrind(floor);
        command.args([&port.to_string(), &requests.to_string(), "1", "0"]);
        command
    };
    let per_request = |command: &dyn Fn(u32) -> Command| -> Result<f64> {
        let (one, two) = (total(command(REQUESTS))?, total(command(2 * REQUESTS))?);
        Ok((two - one) / f64::from(REQUESTS))
    };
    Ok(InstructionCounts {
        loadgen: per_request(&loadgen)?,
        ping_pong: per_request(&ping_pong)?,
    })
}

fn callgrind(program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program);
    command
}

/// Returns the number of instructions of a run, from callgrind's summary.
fn total(mut command: Command) -> Result<f64> {
    let output = command
        .output()
        .context("cannot start valgrind; install the package valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {text}");
    let number = text
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    number.with_context(|| format!("the output of callgrind has no line `Collected`:\n{text}"))
}
