//! Runs the load generator under the same conditions as its peers.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use analysis::Distribution;
use anyhow::{Context as _, Result, ensure};
use dataset::{ObservationReader, RequestOutcome};
use model::LoadSummary;

use crate::peer::{PeerResult, children_s};

/// Result of the load generator for both servers.
pub(crate) struct LoadgenResult {
    /// Result for the first server; RTTs are those in user space.
    pub(crate) first: PeerResult,
    /// Difference of the median wire times, ns; `None` without kernel stamps.
    pub(crate) wire_difference_ns: Option<f64>,
    /// Difference of the median RTTs, ns.
    pub(crate) rtt_difference_ns: f64,
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
    let rounds = seconds * 15_000;
    let (start, before) = (Instant::now(), children_s()?);
    let output = Command::new(loadgen)
        .args(["send", "--wait", "spin"])
        .args(["--cpu", &cpu.to_string()])
        .args(["--rounds", &rounds.to_string()])
        .args(["--arm", &format!("first=127.0.0.1:{}", ports[0])])
        .args(["--arm", &format!("second=127.0.0.1:{}", ports[1])])
        .arg("--out")
        .arg(&out)
        .output()
        .context("cannot start loadgen")?;
    ensure!(
        output.status.success(),
        "loadgen: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let cpus = (children_s()? - before) / start.elapsed().as_secs_f64();
    let summary: LoadSummary = serde_json::from_slice(&output.stdout)?;
    let mut rtt = [Distribution::default(), Distribution::default()];
    let mut wire = [Distribution::default(), Distribution::default()];
    ObservationReader::open(&out)?.for_each(|row| {
        if row.outcome == RequestOutcome::Answered && !row.warm_up {
            rtt[usize::from(row.arm)].insert(row.rtt_ns());
            if let Some(wire_ns) = row.wire_ns() {
                wire[usize::from(row.arm)].insert(wire_ns);
            }
        }
    })?;
    let median = |distribution: &Distribution| distribution.quantile(0.5);
    let first_ns = median(&rtt[0]).context("no response from the first server")?;
    let second_ns = median(&rtt[1]).context("no response from the second server")?;
    Ok(LoadgenResult {
        first: PeerResult {
            median_ns: first_ns,
            mean_ns: rtt[0].mean().unwrap_or(first_ns),
            requests_in_progress: summary.littles_law.context("the summary has no littles_law")?,
            cpus,
        },
        wire_difference_ns: median(&wire[1])
            .zip(median(&wire[0]))
            .map(|(second, first)| second - first),
        rtt_difference_ns: second_ns - first_ns,
    })
}
