//! Distributions of delays, as lists of quantiles, and `runner jitter`, which computes one from two recorded conditions.

use std::path::{Path, PathBuf};

use analysis::Distribution;
use anyhow::{Context, Result, ensure};
use dataset::{ObservationReader, Run};
use model::DelayDistribution;
use rand::{Rng, RngExt as _};

use crate::program::read_toml;

/// Number of quantiles of a computed distribution.
const QUANTILES: u32 = 100;

/// The command line of `runner jitter`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct JitterCommand {
    /// A run in which both conditions were measured
    #[arg(long)]
    run: PathBuf,
    /// The condition without the delay
    #[arg(long)]
    near: String,
    /// The condition with the delay
    #[arg(long)]
    far: String,
    /// The arm whose round trips are compared
    #[arg(long, default_value = "unmodified")]
    arm: String,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

/// Reads a file of delays, such as those in `experiments/jitter/`.
///
/// # Errors
/// If the file cannot be read or has no delays.
pub(crate) fn read(path: &Path) -> Result<DelayDistribution> {
    let delays: DelayDistribution = read_toml(path, "delays are in experiments/jitter/", "delays")?;
    delays.validate().with_context(|| path.display().to_string())?;
    Ok(delays)
}

/// Returns a delay that is drawn from a distribution, ns.
pub(crate) fn draw(delays: &DelayDistribution, random: &mut impl Rng) -> u64 {
    delays.quantile_ns(random.random())
}

/// Computes the delays by which two conditions differ, and writes them into a file.
///
/// # Errors
/// If the run cannot be read, has no observation of a condition, or the file cannot be written.
pub(crate) fn make(options: &JitterCommand) -> Result<()> {
    let run = Run::open(&options.run)?;
    let [near, far] = [&options.near, &options.far].map(|condition| round_trips(&run, condition, &options.arm));
    let differences = differences(&near?, &far?)?;
    let least_ns = differences[0];
    let jitter = DelayDistribution {
        source: format!(
            "{} less {}, arm {}, of the run {}; without the {:.3} ms that all requests have in common",
            options.far,
            options.near,
            options.arm,
            run.manifest.run_id,
            least_ns / 1e6
        ),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "ascending from the least, and far below 2^52 ns"
        )]
        quantiles_ns: differences.iter().map(|ns| (ns - least_ns).round() as u64).collect(),
    };
    let text = format!(
        "# Differences between the quantiles of the round-trip times of two conditions, less the smallest difference, ns.\n\
         # runner jitter --run {} --near {} --far {} --arm {} --out {}\n{}",
        options.run.display(),
        options.near,
        options.far,
        options.arm,
        options.out.display(),
        toml::to_string(&jitter)?
    );
    dataset::write_file(&options.out, text.as_bytes())?;
    println!("wrote {}", options.out.display());
    Ok(())
}

/// Returns the round-trip times of an arm in a condition, without warm-up and failures, ns.
fn round_trips(run: &Run, condition: &str, arm: &str) -> Result<Distribution> {
    let mut times = Distribution::new();
    for launch in run
        .manifest
        .launches
        .iter()
        .filter(|launch| launch.condition == condition)
    {
        let reader = ObservationReader::open(&run.directory.join(&launch.files.observations))?;
        let arms = &reader.header().arms;
        let index = arms.iter().position(|other| other == arm);
        let index = index.with_context(|| format!("no arm {arm} in {condition}; there are {}", arms.join(", ")))?;
        reader.for_each_timings(|rows| {
            for row in (0..rows.len()).filter(|&row| rows.answered[row] && !rows.warm_up[row]) {
                if usize::from(rows.arm[row]) == index {
                    times.insert(rows.user_receive_ns[row] - rows.user_send_ns[row]);
                }
            }
        })?;
    }
    ensure!(
        !times.is_empty(),
        "the run has no request of the arm {arm} in {condition} that was answered"
    );
    Ok(times)
}

/// Returns the differences between the quantiles of two distributions, ns. The differences can fall towards a tail that both
/// distributions have. The quantiles of a delay ascend, so each value is at least the value before.
fn differences(near: &Distribution, far: &Distribution) -> Result<Vec<f64>> {
    let mut found: Vec<f64> = Vec::new();
    for part in 0..QUANTILES {
        let share = (f64::from(part) + 0.5) / f64::from(QUANTILES);
        let [near_ns, far_ns] = [near, far].map(|times| times.quantile(share));
        let difference_ns = far_ns.context("no quantile")? - near_ns.context("no quantile")?;
        let before_ns = found.last().copied().unwrap_or(f64::NEG_INFINITY);
        found.push(difference_ns.max(before_ns));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_pcg::Pcg64;

    use super::*;

    #[test]
    fn drawn_delays_have_the_given_quantiles() {
        let jitter = DelayDistribution {
            source: "made up".to_owned(),
            quantiles_ns: vec![0, 100, 200, 1_000],
        };
        let mut random = Pcg64::seed_from_u64(1);
        let mut drawn = Distribution::new();
        for _ in 0..20_000 {
            drawn.insert(i64::try_from(draw(&jitter, &mut random)).unwrap());
        }
        let median_ns = drawn.quantile(0.5).unwrap();
        assert!((median_ns - 150.0).abs() < 5.0, "{median_ns}");
    }

    #[test]
    fn differences_ascend_where_the_tails_meet() {
        let spread = |scale: i64, tail: i64| {
            let mut times = Distribution::new();
            (1..=1_000).for_each(|value| times.insert(1_000_000 + (scale * value).min(tail)));
            times
        };
        let found = differences(&spread(10, 9_000), &spread(20, 9_000)).unwrap();
        assert!(found.is_sorted() && found.len() == 100, "{found:?}");
        assert!((found[50] - found[99]).abs() < 1_000.0, "{found:?}");
    }

    #[test]
    fn the_committed_delays_are_those_of_the_recordings() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let kept = root.join("experiments/jitter/eks-nodes.toml");
        let jitter = read(&kept).unwrap();
        let run = match Run::open(&root.join("data/ssp2023")) {
            Ok(run) => run,
            Err(error) => {
                println!("SKIPPED: delays of the recordings: {error}; cargo xtask import ssp2023");
                return;
            }
        };
        let [near, far] = ["eks-pod", "eks-nodes"].map(|condition| round_trips(&run, condition, "unmodified").unwrap());
        let found = differences(&near, &far).unwrap();
        for (kept_ns, found_ns) in jitter.quantiles_ns.iter().zip(&found) {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 ns")]
            let apart_ns = *kept_ns as f64 - (found_ns - found[0]);
            assert!(apart_ns.abs() <= 0.5, "{kept_ns} {found_ns}");
        }
    }
}
