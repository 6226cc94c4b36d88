//! Runs the load generator under the same conditions as its peers.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use analysis::Distribution;
use anyhow::{Context as _, Result, ensure};
use dataset::{ObservationReader, RequestOutcome};
use model::LoadSummary;

use loadgen_bench::peer::{PeerResult, children_s};

/// Result of the load generator for both servers.
pub(crate) struct LoadgenResult {
    /// Result for the first server; RTTs are those in user space.
    pub(crate) first: PeerResult,
    /// Difference of the median wire times, ns; `None` without kernel stamps.
    pub(crate) wire_difference_ns: Option<f64>,
    /// Difference of the median RTTs, ns.
    pub(crate) rtt_difference_ns: f64,
}

/// Sends `rounds` requests to both servers, interleaved, and returns the standard output of the load generator. `program` is the
/// load generator and its verb.
pub(crate) fn send(program: &mut Command, cpu: usize, ports: [u16; 2], rounds: u32, out: &Path) -> Result<Vec<u8>> {
    let output = program
        .args(["--wait", "spin"])
        .args(["--cpu", &cpu.to_string()])
        .args(["--rounds", &rounds.to_string()])
        .args(["--arm", &format!("first=127.0.0.1:{}", ports[0])])
        .args(["--arm", &format!("second=127.0.0.1:{}", ports[1])])
        .arg("--out")
        .arg(out)
        .output()
        .with_context(|| format!("cannot start {}", program.get_program().display()))?;
    ensure!(
        output.status.success(),
        "{}: {}",
        program.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

/// Distributions of the RTT and of the wire time of each server, ns, from a file of observations.
#[derive(Default)]
pub(crate) struct ServerTimes {
    pub(crate) rtt_ns: [Distribution; 2],
    wire_ns: [Distribution; 2],
}

/// Reads the times of all requests that were answered after the warm-up.
pub(crate) fn read_times(observations: &Path) -> Result<ServerTimes> {
    let mut times = ServerTimes::default();
    ObservationReader::open(observations)?.for_each(|row| {
        if row.outcome == RequestOutcome::Answered && !row.warm_up {
            times.rtt_ns[usize::from(row.arm)].insert(row.rtt_ns());
            if let Some(wire_ns) = row.wire_ns() {
                times.wire_ns[usize::from(row.arm)].insert(wire_ns);
            }
        }
    })?;
    Ok(times)
}

/// Measures both servers, interleaved, for about this number of seconds in total.
pub(crate) fn measure(
    loadgen: &Path,
    cpu: usize,
    ports: [u16; 2],
    seconds: u32,
    folder: &Path,
) -> Result<LoadgenResult> {
    let out = folder.join("observations.parquet");
    let (start, before) = (Instant::now(), children_s()?);
    let printed = send(Command::new(loadgen).arg("send"), cpu, ports, seconds * 15_000, &out)?;
    let cpus = (children_s()? - before) / start.elapsed().as_secs_f64();
    let summary: LoadSummary = serde_json::from_slice(&printed)?;
    let ServerTimes { rtt_ns, wire_ns } = read_times(&out)?;
    let median = |distribution: &Distribution| distribution.quantile(0.5);
    let first_ns = median(&rtt_ns[0]).context("no response from the first server")?;
    let second_ns = median(&rtt_ns[1]).context("no response from the second server")?;
    Ok(LoadgenResult {
        first: PeerResult {
            median_ns: first_ns,
            mean_ns: rtt_ns[0].mean().unwrap_or(first_ns),
            requests_in_progress: summary.littles_law.context("the summary has no littles_law")?,
            cpus,
        },
        wire_difference_ns: median(&wire_ns[1])
            .zip(median(&wire_ns[0]))
            .map(|(second, first)| second - first),
        rtt_difference_ns: second_ns - first_ns,
    })
}
