//! Distributions of delays, as lists of quantiles, and `runner jitter`, which computes one from two recorded conditions.

use std::path::{Path, PathBuf};

use analysis::Distribution;
use analysis::stats::serial::autocorrelation;
use anyhow::{Context, Result, ensure};
use dataset::{ObservationReader, Run};
use model::{DelayDistribution, SlowComponent};
use statrs::distribution::{ContinuousCDF as _, Normal};

use crate::program::read_toml;

/// Number of quantiles of a computed distribution.
const QUANTILES: u32 = 100;
/// The longest lag at which the autocorrelation is fitted, requests: a tenth of a recording of the study.
const LONGEST_LAG: usize = 4_096;
/// Number of time constants of the fit, from 2 requests on, each four times the one before.
const COMPONENTS: i32 = 7;
/// Passes of the coordinate descent over all components.
const PASSES: usize = 2_000;
/// Components with a smaller share of the variance are left out.
const LEAST_SHARE: f64 = 0.005;

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

/// Computes the delays by which two conditions differ, and writes them into a file.
///
/// # Errors
/// If the run cannot be read, has no observation of a condition, or the file cannot be written.
pub(crate) fn make(options: &JitterCommand) -> Result<()> {
    let run = Run::open(&options.run)?;
    let [near, far] = [&options.near, &options.far].map(|condition| RoundTrips::read(&run, condition, &options.arm));
    let (near, far) = (near?, far?);
    let differences = differences(&near.distribution(), &far.distribution())?;
    let least_ns = differences[0];
    let jitter = DelayDistribution {
        source: format!(
            "{far} less {}, arm {}, of the run {}; without the {:.3} ms that all requests have in common; with the \
             autocorrelation of {far}",
            options.near,
            options.arm,
            run.manifest.run_id,
            least_ns / 1e6,
            far = options.far,
        ),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "ascending from the least, and far below 2^52 ns"
        )]
        quantiles_ns: differences.iter().map(|ns| (ns - least_ns).round() as u64).collect(),
        slow: far.slow_components()?,
    };
    let text = format!(
        "# Differences between the quantiles of the round-trip times of two conditions, less the smallest difference, ns, and the\n\
         # slow components of the normal scores of the round-trip times of the second condition.\n\
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

/// The round trips of an arm in the first launch of a condition, in their order, without warm-up and failures.
struct RoundTrips {
    times_ns: Vec<i64>,
    /// The mean time between the sends of two requests, ms.
    interval_ms: f64,
}

impl RoundTrips {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a duration far below 2^52 ns, and a count of requests"
    )]
    fn read(run: &Run, condition: &str, arm: &str) -> Result<Self> {
        let (mut times_ns, mut sent_ns) = (Vec::new(), Vec::new());
        let mut launches = run.manifest.launches.iter();
        let launch = launches.find(|launch| launch.condition == condition);
        let launch = launch.with_context(|| format!("the run has no launch of {condition}"))?;
        let reader = ObservationReader::open(&run.directory.join(&launch.files.observations))?;
        let arms = &reader.header().arms;
        let index = arms.iter().position(|other| other == arm);
        let index = index.with_context(|| format!("no arm {arm} in {condition}; there are {}", arms.join(", ")))?;
        reader.for_each_timings(|rows| {
            for row in (0..rows.len()).filter(|&row| rows.answered[row] && !rows.warm_up[row]) {
                if usize::from(rows.arm[row]) == index {
                    times_ns.push(rows.user_receive_ns[row] - rows.user_send_ns[row]);
                    sent_ns.push(rows.user_send_ns[row]);
                }
            }
        })?;
        ensure!(
            times_ns.len() > LONGEST_LAG,
            "{condition}: {} answered requests of the arm {arm}; expected more than {LONGEST_LAG}",
            times_ns.len()
        );
        let lasted_ns = sent_ns[sent_ns.len() - 1] - sent_ns[0];
        Ok(Self {
            interval_ms: lasted_ns as f64 / (sent_ns.len() - 1) as f64 / 1e6,
            times_ns,
        })
    }

    fn distribution(&self) -> Distribution {
        self.times_ns.iter().copied().collect()
    }

    /// Returns the slow components whose sum has the autocorrelation of the normal scores of the round trips, at lags of 1, 2, 4
    /// and so on to [`LONGEST_LAG`]: the shares, none below zero, with the least squares of the differences, for time constants of
    /// 2, 8, 32 and so on requests. Coordinate descent converges because the problem is convex.
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    fn slow_components(&self) -> Result<Vec<SlowComponent>> {
        let scores = normal_scores(&self.times_ns);
        let lags: Vec<usize> =
            std::iter::successors(Some(1), |lag| Some(2 * lag).filter(|next| *next <= LONGEST_LAG)).collect();
        let recorded = lags.iter().map(|lag| autocorrelation(&scores, *lag));
        let recorded: Vec<f64> = recorded.collect::<Option<_>>().context("the round trips do not vary")?;
        let constants: Vec<f64> = (0..COMPONENTS).map(|power| 2.0 * 4.0_f64.powi(power)).collect();
        let falls: Vec<Vec<f64>> = constants
            .iter()
            .map(|constant| lags.iter().map(|lag| (-(*lag as f64) / constant).exp()).collect())
            .collect();
        let mut shares = vec![0.0; constants.len()];
        for _ in 0..PASSES {
            for (number, fall) in falls.iter().enumerate() {
                let rest = |lag: usize| {
                    let others = falls
                        .iter()
                        .zip(&shares)
                        .enumerate()
                        .filter(|(other, _)| *other != number);
                    recorded[lag] - others.map(|(_, (fall, share))| fall[lag] * share).sum::<f64>()
                };
                let products: f64 = fall.iter().enumerate().map(|(lag, one)| one * rest(lag)).sum();
                let squares: f64 = fall.iter().map(|one| one * one).sum();
                shares[number] = (products / squares).max(0.0);
            }
        }
        let most = shares.iter().sum::<f64>().max(1.0);
        let components = constants.iter().zip(shares).map(|(constant, share)| SlowComponent {
            time_ms: (constant * self.interval_ms * 1e3).round() / 1e3,
            share: (share / most * 1e4).floor() / 1e4,
        });
        Ok(components.filter(|component| component.share >= LEAST_SHARE).collect())
    }
}

/// Returns the standard normal quantiles of the ranks of the values. Equal values keep their order.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn normal_scores(values: &[i64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&index| values[index]);
    let normal = Normal::standard();
    let mut scores = vec![0.0; values.len()];
    for (rank, index) in order.into_iter().enumerate() {
        scores[index] = normal.inverse_cdf((rank as f64 + 0.5) / values.len() as f64);
    }
    scores
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
    use super::*;

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
        let [near, far] =
            ["eks-pod", "eks-nodes"].map(|condition| RoundTrips::read(&run, condition, "unmodified").unwrap());
        assert_eq!(jitter.slow, far.slow_components().unwrap());
        let found = differences(&near.distribution(), &far.distribution()).unwrap();
        for (kept_ns, found_ns) in jitter.quantiles_ns.iter().zip(&found) {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 ns")]
            let apart_ns = *kept_ns as f64 - (found_ns - found[0]);
            assert!(apart_ns.abs() <= 0.5, "{kept_ns} {found_ns}");
        }
    }
}
