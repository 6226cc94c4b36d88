//! A distribution of delays, by its quantiles, and `bench jitter`, which takes one from two recordings.

use std::fs;
use std::path::{Path, PathBuf};

use analysis::Distribution;
use anyhow::{Context, Result, ensure};
use dataset::{ObservationReader, Run};
use rand::{Rng, RngExt as _};
use serde::{Deserialize, Serialize};

/// So many quantiles are taken.
const QUANTILES: u32 = 100;

/// Delays of requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jitter {
    /// From what it was taken.
    source: String,
    /// Quantiles at the middles of as many equal parts of the distribution, ascending, ns.
    quantiles_ns: Vec<u64>,
}

/// Which two recordings differ by the delay.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
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

impl Jitter {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {}; delays are in experiments/jitter/", path.display()))?;
        let jitter: Self = toml::from_str(&text).with_context(|| format!("{} has no delays", path.display()))?;
        jitter.validate().with_context(|| path.display().to_string())?;
        Ok(jitter)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        ensure!(
            !self.quantiles_ns.is_empty() && self.quantiles_ns.is_sorted(),
            "quantiles_ns: expected at least one, ascending"
        );
        Ok(())
    }

    /// One delay, ns; between quantiles it is distributed evenly.
    pub(crate) fn draw(&self, random: &mut impl Rng) -> u64 {
        self.at(random.random())
    }

    #[expect(clippy::cast_precision_loss, reason = "delays far below 2^52 ns, and few of them")]
    pub(crate) fn mean_ns(&self) -> f64 {
        let sum: f64 = self.quantiles_ns.iter().map(|&delay_ns| delay_ns as f64).sum();
        sum / self.quantiles_ns.len() as f64
    }

    /// The quantile at `share`, ns.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "places in a short list, and delays far below 2^52 ns"
    )]
    fn at(&self, share: f64) -> u64 {
        let last = self.quantiles_ns.len() - 1;
        let place = (share * self.quantiles_ns.len() as f64 - 0.5).clamp(0.0, last as f64);
        let below = place as usize;
        let (low, high) = (self.quantiles_ns[below], self.quantiles_ns[last.min(below + 1)]);
        low + ((high - low) as f64 * place.fract()).round() as u64
    }
}

/// Takes the delay by which two conditions differ, and writes it.
pub(crate) fn make(options: &Options) -> Result<()> {
    let run = Run::open(&options.run)?;
    let [near, far] = [&options.near, &options.far].map(|condition| round_trips(&run, condition, &options.arm));
    let differences = differences(&near?, &far?)?;
    let least_ns = differences[0];
    let jitter = Jitter {
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
        let reader = ObservationReader::open(&run.directory.join(&launch.file))?;
        let arms = &reader.header().arms;
        let index = arms.iter().position(|other| other == arm);
        let index = index.with_context(|| format!("no arm {arm} in {condition}; there are {}", arms.join(", ")))?;
        reader.for_each_timings(|rows| {
            for row in (0..rows.len()).filter(|&row| rows.ok[row] && !rows.warm_up[row]) {
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
        let jitter = Jitter {
            source: "made up".to_owned(),
            quantiles_ns: vec![0, 100, 200, 1_000],
        };
        assert_eq!(
            [0.0, 0.125, 0.25, 0.5, 0.99].map(|share| jitter.at(share)),
            [0, 0, 50, 150, 1_000]
        );
        let mut random = Pcg64::seed_from_u64(1);
        let mut drawn = Distribution::new();
        for _ in 0..20_000 {
            drawn.insert(i64::try_from(jitter.draw(&mut random)).unwrap());
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
        let jitter = Jitter::read(&kept).unwrap();
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
