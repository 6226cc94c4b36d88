//! Compares the duration of the analysis of many observations with the duration of decoding them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use dataset::Run;

use crate::generate;
use crate::measure::{Taken, in_own_process, ratio, seconds};

/// Disk space for one row, with a reserve, bytes.
const BYTES_PER_ROW: u64 = 40;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ScaleOptions {
    /// Approximate number of observations
    #[arg(long, default_value_t = 100_000_000)]
    rows: u64,
    /// Repetitions; in each, both are measured once
    #[arg(long, default_value_t = 3)]
    repetitions: u32,
    /// Folder of the run: an empty folder, or a folder that this program wrote with the same number of rows
    #[arg(long)]
    folder: PathBuf,
    /// Keep the run
    #[arg(long)]
    keep: bool,
}

/// Generates a run, measures and prints both durations, and removes the run.
pub(crate) fn run(options: &ScaleOptions) -> Result<()> {
    ensure!(options.repetitions >= 2, "--repetitions: a spread takes at least 2");
    let folder = &options.folder;
    let rows = made_up(folder, options.rows)?;
    let measured = measure(folder, rows, options.repetitions);
    if !options.keep {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    measured
}

fn made_up(folder: &Path, rows: u64) -> Result<u64> {
    if folder.join("manifest.json").exists() {
        let run = Run::open(folder)?;
        ensure!(
            run.manifest.experiment == "made-up",
            "{} holds a measured run; choose another --folder",
            folder.display()
        );
        eprintln!("{} is analysed again", folder.display());
        let sent = run.manifest.launches.iter().flat_map(|launch| &launch.arms);
        return Ok(sent.map(|arm| arm.requests_sent).sum());
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let needed = rows * BYTES_PER_ROW;
    let free = free_bytes(folder)?;
    ensure!(
        free > needed,
        "{rows} rows may take {needed} bytes, but {} has {free} free; free space, or ask for fewer --rows",
        folder.display()
    );
    eprintln!("writing {rows} observations to {}", folder.display());
    generate::run(folder, rows)
}

fn free_bytes(folder: &Path) -> Result<u64> {
    let output = Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(folder)
        .output()
        .context("cannot start `df`")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let free = text.lines().nth(1).and_then(|line| line.trim().parse().ok());
    free.context("`df` does not say how much space is free")
}

fn measure(folder: &Path, rows: u64, repetitions: u32) -> Result<()> {
    let (mut decoding, mut analysing): (Vec<Taken>, Vec<Taken>) = (Vec::new(), Vec::new());
    let mut results = String::new();
    for repetition in 0..repetitions {
        let mut first = || -> Result<()> {
            decoding.push(in_own_process("decode", folder, None)?.0);
            Ok(())
        };
        // The two measurements are first in turn.
        if repetition.is_multiple_of(2) {
            first()?;
        }
        let (taken, found) = in_own_process("analyse", folder, None)?;
        ensure!(
            results.is_empty() || results == found,
            "two analyses of the same run differ; that is a mistake of this program"
        );
        analysing.push(taken);
        results = found;
        if !repetition.is_multiple_of(2) {
            first()?;
        }
    }
    let (_, on_one) = in_own_process("analyse", folder, Some(1))?;
    ensure!(
        on_one == results,
        "one processor and all of them give different results; that is a mistake of this program"
    );
    let of = |taken: &[Taken]| taken.iter().map(|one| one.seconds).collect::<Vec<f64>>();
    let ratios: Vec<f64> = of(&analysing)
        .iter()
        .zip(of(&decoding))
        .map(|(analyse, decode)| analyse / decode)
        .collect();
    let peak = |taken: &[Taken]| taken.iter().map(|one| one.peak_bytes).max().unwrap_or(0) >> 20;
    println!(
        "{rows} observations in {} launches, {repetitions} repetitions",
        generate::LAUNCHES
    );
    println!("decoding:  {}, {} MiB", seconds(&of(&decoding)), peak(&decoding));
    println!("analysing: {}, {} MiB", seconds(&of(&analysing)), peak(&analysing));
    println!("analysing by decoding: {}, at most 3", ratio(&ratios)?);
    println!("one processor and all of them: the same results");
    Ok(())
}
