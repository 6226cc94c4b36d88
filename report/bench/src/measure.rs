//! One measurement in a process of its own, so that its peak of memory is its own, and the summary of several measurements.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use analysis::{Estimate, estimate};
use anyhow::{Context, Result, ensure};
use dataset::{ObservationReader, Run};
use rayon::prelude::*;
use report::results;
use samples::run_samples;

/// The time and memory that one process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) seconds: f64,
    pub(crate) peak_bytes: u64,
}

/// Everything that `report effects` computes: medians, quantiles, moments, intervals of all contrasts, order effects.
pub(crate) fn analyse(run: &Path) -> Result<()> {
    let begun = Instant::now();
    let run = Run::open(run)?;
    let samples = run_samples(&run)?;
    let results = results::results(&run.manifest, &samples)?;
    let seconds = begun.elapsed().as_secs_f64();
    print_taken(seconds)?;
    // The result is used, so that it is computed.
    println!("{}", serde_json::to_string(&results)?);
    Ok(())
}

/// Decodes the columns that the analysis reads, and drops them. This is the smallest work of a reader of these columns.
pub(crate) fn decode(run: &Path) -> Result<()> {
    let begun = Instant::now();
    let run = Run::open(run)?;
    run.manifest.launches.par_iter().try_for_each(|launch| -> Result<()> {
        let reader = ObservationReader::open(&run.directory.join(&launch.files.observations))?;
        Ok(reader.decode_timings()?)
    })?;
    print_taken(begun.elapsed().as_secs_f64())
}

fn print_taken(seconds: f64) -> Result<()> {
    let status =
        fs::read_to_string("/proc/self/status").context("the kernel does not say how much memory was taken")?;
    let peak_kib: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .context("/proc/self/status has no VmHWM")?;
    println!("{seconds} {}", peak_kib * 1_024);
    Ok(())
}

/// Starts this program again with `verb`. Returns its time and memory, and the rest of its output.
pub(crate) fn in_own_process(verb: &str, run: &Path, threads: Option<usize>) -> Result<(Taken, String)> {
    let mut command = Command::new(std::env::current_exe().context("this program's own path")?);
    command.arg(verb).arg(run);
    if let Some(threads) = threads {
        command.env("RAYON_NUM_THREADS", threads.to_string());
    }
    let output = command.output().with_context(|| format!("cannot start `{verb}`"))?;
    ensure!(
        output.status.success(),
        "`{verb}` failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    let (first, rest) = text.split_once('\n').context("nothing was printed")?;
    let (seconds, bytes) = first.split_once(' ').context("expected seconds and bytes")?;
    let taken = Taken {
        seconds: seconds.parse()?,
        peak_bytes: bytes.parse()?,
    };
    Ok((taken, rest.to_owned()))
}

/// Geometric mean of ratios with its 95 % interval over repetitions: `2.10 [2.05, 2.15]`.
pub(crate) fn ratio(ratios: &[f64]) -> Result<String> {
    let logarithms: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
    let Estimate {
        value,
        confidence_interval: (low, high),
        ..
    } = estimate(&logarithms)?;
    Ok(format!("{:.2} [{:.2}, {:.2}]", value.exp(), low.exp(), high.exp()))
}

/// `1.20 s (1.10 to 1.30)`: the mean and the ends.
pub(crate) fn seconds(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    format!("{mean:.2} s ({least:.2} to {most:.2})")
}
