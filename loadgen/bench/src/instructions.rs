//! Instructions in user space for each request, by callgrind, of the prober and of the C ping-pong: what noise hides. Both
//! sleep while they wait, since a spinning client's instructions are as many as it waits long.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Requests of the shorter of two runs; what a run takes besides its requests is in both.
const REQUESTS: u32 = 2_000;

/// Of the prober and of the ping-pong; the error says why they cannot be told.
pub(crate) fn by_request(loadgen: &Path, floor: &Path, port: u16, folder: &Path) -> Result<(f64, f64)> {
    let prober = |requests: u32| {
        let mut command = callgrind(loadgen);
        command
            .args(["probe", "--wait", "sleep", "--rounds", &requests.to_string(), "--arm"])
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
    let each = |command: &dyn Fn(u32) -> Command| -> Result<f64> {
        let (one, two) = (collected(command(REQUESTS))?, collected(command(2 * REQUESTS))?);
        Ok((two - one) / f64::from(REQUESTS))
    };
    Ok((each(&prober)?, each(&ping_pong)?))
}

fn callgrind(program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program);
    command
}

/// The instructions of a run, from callgrind's last words.
fn collected(mut command: Command) -> Result<f64> {
    let output = command.output().context("cannot start valgrind; install it")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {text}");
    let number = text
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    number.with_context(|| format!("callgrind said nothing of instructions:\n{text}"))
}
