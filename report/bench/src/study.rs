//! Compares the duration of the 2023 study's analysis with its own tools and with `report`, in turn.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use samples::study_recordings;

use crate::measure::{ratio, seconds};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StudyOptions {
    /// The imported study
    #[arg(long)]
    study: PathBuf,
    /// Python with pandas, SciPy and matplotlib
    #[arg(long)]
    python: PathBuf,
    /// The script that does what the study's notebook does
    #[arg(long)]
    script: PathBuf,
    /// The program `report`
    #[arg(long)]
    report: PathBuf,
    /// Folder for the recordings as CSV, and for the figures
    #[arg(long)]
    folder: PathBuf,
    /// Repetitions; in each, both are measured once
    #[arg(long, default_value_t = 10)]
    repetitions: u32,
}

/// Runs both analyses in turn, and prints their durations.
pub(crate) fn run(options: &StudyOptions) -> Result<()> {
    ensure!(options.repetitions >= 2, "--repetitions: a spread takes at least 2");
    let recordings = options.folder.join("recordings");
    write_recordings(&options.study, &recordings)?;
    let figures = |name: &str| options.folder.join(name);
    let (mut theirs, mut inner, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    let mut versions = String::new();
    for repetition in 0..options.repetitions {
        let mut by_python = || -> Result<()> {
            let mut command = Command::new(&options.python);
            command.arg(&options.script).arg(&recordings).arg(figures("python"));
            let (taken, text) = timed(&mut command)?;
            theirs.push(taken);
            // The last two lines of the output are the duration in seconds without start and imports, and the
            // versions.
            let mut lines = text.lines().rev();
            versions = lines.next().unwrap_or_default().to_owned();
            inner.push(
                lines
                    .next()
                    .unwrap_or_default()
                    .parse()
                    .context("seconds of the script")?,
            );
            Ok(())
        };
        if repetition.is_multiple_of(2) {
            by_python()?;
        }
        let mut command = Command::new(&options.report);
        command.arg("study").arg("--study").arg(&options.study);
        command.arg("--figures").arg(figures("report"));
        ours.push(timed(&mut command)?.0);
        if !repetition.is_multiple_of(2) {
            by_python()?;
        }
    }
    let ratios =
        |theirs: &[f64]| -> Vec<f64> { theirs.iter().zip(&ours).map(|(theirs, ours)| theirs / ours).collect() };
    println!(
        "the study's statistics and both figures, {} repetitions",
        options.repetitions
    );
    println!("{versions}: {}", seconds(&theirs));
    println!("  without starting Python and importing: {}", seconds(&inner));
    println!(
        "report, which also tests halves, dependence and cuts: {}",
        seconds(&ours)
    );
    println!("faster: {} times, at least 10", ratio(&ratios(&theirs))?);
    println!(
        "  without starting Python and importing: {} times",
        ratio(&ratios(&inner))?
    );
    Ok(())
}

fn timed(command: &mut Command) -> Result<(f64, String)> {
    let begun = Instant::now();
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let taken = begun.elapsed().as_secs_f64();
    ensure!(
        output.status.success(),
        "{} failed: {}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((taken, String::from_utf8(output.stdout)?))
}

/// Writes the recordings in the study's own form: `CONDITION-ARM.csv` with milliseconds.
fn write_recordings(study: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for recording in study_recordings(study)? {
        for (arm, rtt_ns) in [("unmodified", &recording.unmodified_ns), ("hook", &recording.hook_ns)] {
            let mut text = String::from("start_time,response_time\n");
            let mut start_ns = 1_691_754_000_000_000_000_i64;
            for rtt_ns in rtt_ns {
                _ = writeln!(text, "{:.9},{:.6}", start_ns as f64 / 1e9, *rtt_ns as f64 / 1e6);
                start_ns += rtt_ns;
            }
            let path = folder.join(format!("{}-{arm}.csv", recording.condition));
            dataset::write_file(&path, text.as_bytes())?;
        }
    }
    Ok(())
}
