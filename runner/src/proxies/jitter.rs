//! A distribution of delays, by its quantiles, and `runner jitter`, which takes one from two recordings.

use std::path::{Path, PathBuf};

use analysis::Distribution;
use anyhow::{Context, Result, ensure};
use dataset::{ObservationReader, Run};
use model::DelayDistribution;
use rand::{Rng, RngExt as _};

use crate::program::read_toml;

/// So many quantiles are taken.
const QUANTILES: u32 = 100;

/// Which two recordings differ by the delay.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct JitterCommand {
    /// A run in which both conditions were measured
    #[arg(long)]
    run: PathBuf,
    /// The condition without the delay
    #[arg(long)]
    near: String,
    /// The condition with it
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
/// When it cannot be read or has no delays.
pub(crate) fn read(path: &Path) -> Result<DelayDistribution> {
    let delays: DelayDistribution = read_toml(path, "delays are in experiments/jitter/", "delays")?;
    delays.validate().with_context(|| path.display().to_string())?;
    Ok(delays)
}

/// Returns a delay that is drawn from a distribution, ns.
pub(crate) fn draw(delays: &DelayDistribution, random: &mut impl Rng) -> u64 {
    delays.quantile_ns(random.random())
}

/// Takes the delay by which two conditions differ, and writes it.
pub(crate) fn make(options: &JitterCommand) -> Result<()> {
    let run = Run::open(&options.run)?;
    let [near, far] = [&options.near, &options.far].map(|condition| round_trips(&run, condition, &options.arm));
    let differences = differences(&near?, &far?)?;
    let least_ns = differences[0];
    let jitter = DelayDistribution {
        source: format!(
            "{} less {}, arm {}, of the run {}; {:.3} ms that all requests have in common are left out",
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
    let shown = |path: &Path| path.display().to_string();
    let text = format!(
        "# What a request's round trip takes longer in one condition than in another, beyond what all take longer.\n\
         # bench jitter --run {} --near {} --far {} --arm {} --out {}\n{}",
        shown(&options.run),
        options.near,
        options.far,
        options.arm,
        shown(&options.out),
        toml::to_string(&jitter)?
    );
    dataset::write_file(&options.out, text.as_bytes())?;
    println!("wrote {}", shown(&options.out));
    Ok(())
}

/// Round trips of an arm in a condition, warm-up and failures left out.
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
        "nothing was measured in {condition} with the arm {arm}"
    );
    Ok(times)
}

/// By how much quantiles differ, ns. Where the difference falls again, towards a tail that both have, it stays where it was:
/// a delay's quantiles ascend.
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
    fn delays_are_distributed_as_their_quantiles_say() {
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
    fn a_difference_that_falls_again_is_kept() {
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
    fn the_delays_that_are_kept_are_what_the_recordings_give() {
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
