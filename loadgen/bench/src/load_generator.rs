//! The prober, asked what its peers are asked.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use analysis::Distribution;
use anyhow::{Context as _, Result, ensure};
use dataset::{ObservationReader, RequestOutcome};
use model::LoadSummary;

use crate::peer::{Said, children_s};

/// What the prober says of both servers.
pub(crate) struct Both {
    /// Of the first server; RTT in user space.
    pub(crate) said: Said,
    /// Difference of the median wire times, ns; `None` without kernel stamps.
    pub(crate) wire_difference_ns: Option<f64>,
    /// Difference of the median RTTs, ns.
    pub(crate) rtt_difference_ns: f64,
}

/// Asks both servers, interleaved, for about so many seconds in all.
pub(crate) fn ask(loadgen: &Path, cpu: usize, ports: [u16; 2], seconds: u32, folder: &Path) -> Result<Both> {
    let out = folder.join("observations.parquet");
    let rounds = seconds * 15_000;
    let (start, before) = (Instant::now(), children_s()?);
    let output = Command::new(loadgen)
        .args([
            "probe",
            "--wait",
            "spin",
            "--cpu",
            &cpu.to_string(),
            "--rounds",
            &rounds.to_string(),
        ])
        .arg("--arm")
        .arg(format!("first=127.0.0.1:{}", ports[0]))
        .arg("--arm")
        .arg(format!("second=127.0.0.1:{}", ports[1]))
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
    let rtt_ns = [0, 1].map(|arm: usize| median(&rtt[arm]));
    let first_ns = rtt_ns[0].context("no answer from the first server")?;
    Ok(Both {
        said: Said {
            median_ns: first_ns,
            mean_ns: rtt[0].mean().unwrap_or(first_ns),
            under_way: summary.littles_law.context("no observation")?,
            cpus,
        },
        wire_difference_ns: median(&wire[1])
            .zip(median(&wire[0]))
            .map(|(second, first)| second - first),
        rtt_difference_ns: rtt_ns[1].context("no answer from the second server")? - first_ns,
    })
}
