//! The true effects of a sealed object, from the telemetry of both objects.

use std::collections::BTreeMap;

use analysis::{Distribution, LatencyMetric, mean};
use anyhow::{Context as _, Result, ensure};
use dataset::Run;
use samples::run_samples;
use serde::{Deserialize, Serialize};

use crate::sealed_pair::BASELINE;

/// By how much longer the sealed object held payloads than the object without a delay, ns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeldLonger {
    /// Difference of the medians.
    pub(crate) median_ns: f64,
    /// Difference of the means.
    pub(crate) mean_ns: f64,
}

/// The true effects of one trial, in `sealed/truth-NNN.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialTruth {
    /// Of each launch of the run, in their order.
    pub(crate) launches: Vec<HeldLonger>,
    /// Of the measurement of each other load generator.
    pub(crate) peers: BTreeMap<String, HeldLonger>,
    /// Duration of the trial without other load generators, s.
    pub(crate) seconds: f64,
}

impl TrialTruth {
    /// Returns the means over launches.
    pub(crate) fn of_run(&self) -> HeldLonger {
        let over = |of: fn(&HeldLonger) -> f64| mean(&self.launches.iter().map(of).collect::<Vec<_>>());
        HeldLonger {
            median_ns: over(|launch| launch.median_ns),
            mean_ns: over(|launch| launch.mean_ns),
        }
    }
}

/// Compares the times for which both objects held payloads.
///
/// # Errors
/// If one of them held none.
pub(crate) fn held_longer(baseline_ns: &[i64], sealed_ns: &[i64]) -> Result<HeldLonger> {
    let both = [baseline_ns, sealed_ns].map(|held_ns| held_ns.iter().copied().collect::<Distribution>());
    let difference = |of: fn(&Distribution) -> Option<f64>| Some(of(&both[1])? - of(&both[0])?);
    let median = difference(|held| held.quantile(0.5));
    let found = median.zip(difference(Distribution::mean));
    let (median_ns, mean_ns) = found.context("an object held no payload")?;
    Ok(HeldLonger { median_ns, mean_ns })
}

/// Compares the times launch by launch. Each launch sent `rounds` requests, of which the first `warm_up_rounds` do not count.
///
/// # Errors
/// If the objects did not hold each request of `launches` launches once.
pub(crate) fn by_launch(
    [baseline_ns, sealed_ns]: [&[i64]; 2],
    launches: u32,
    (rounds, warm_up_rounds): (u64, u64),
) -> Result<Vec<HeldLonger>> {
    let expected = u64::from(launches) * rounds;
    for held_ns in [baseline_ns, sealed_ns] {
        ensure!(
            held_ns.len() as u64 == expected,
            "a sealed object held {} payloads; expected {expected} in {launches} launches of {rounds} requests",
            held_ns.len()
        );
    }
    let (rounds, warm_up) = (usize::try_from(rounds)?, usize::try_from(warm_up_rounds)?);
    let pairs = baseline_ns.chunks(rounds).zip(sealed_ns.chunks(rounds));
    pairs
        .map(|(baseline_ns, sealed_ns)| held_longer(&baseline_ns[warm_up..], &sealed_ns[warm_up..]))
        .collect()
}

/// Returns the distance by which the median wire time moves if one request of `every` takes longer than all others, ns: from
/// the quantile 1/2 to the quantile 1/2 · every/(every − 1) of the wire times without a delay. Mean over the launches of a run,
/// of the arm whose object has no delay. A delay of few requests moves the median by this distance, although the medians of the
/// times in the hook are equal. 0 if each request is delayed.
///
/// # Errors
/// If the run cannot be read.
#[expect(clippy::cast_precision_loss, reason = "one request of some tens")]
pub(crate) fn median_shift_ns(run: &Run, every: u64) -> Result<f64> {
    if every < 2 {
        return Ok(0.0);
    }
    let moved = 0.5 * every as f64 / (every as f64 - 1.0);
    let launches = run_samples(run)?.launches;
    let shifts: Option<Vec<f64>> = launches
        .iter()
        .map(|launch| {
            let wire = launch.arms.get(BASELINE)?.of(LatencyMetric::WireTime);
            Some(wire.quantile(moved)? - wire.quantile(0.5)?)
        })
        .collect();
    let shifts =
        shifts.with_context(|| format!("{}: a launch has no wire times of {BASELINE}", run.manifest.run_id))?;
    Ok(mean(&shifts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_leaves_out_the_warm_up_of_each_launch() {
        let baseline = [900, 10, 12, 11, 900, 20, 21, 22];
        let sealed = [0, 110, 112, 114, 0, 121, 121, 127];
        let launches = by_launch([&baseline, &sealed], 2, (4, 1)).unwrap();
        let found: Vec<(f64, f64)> = launches.iter().map(|held| (held.median_ns, held.mean_ns)).collect();
        assert_eq!(found, [(101.0, 101.0), (100.0, 102.0)]);
        let truth = TrialTruth {
            launches,
            peers: BTreeMap::new(),
            seconds: 1.0,
        };
        assert_eq!(
            truth.of_run(),
            HeldLonger {
                median_ns: 100.5,
                mean_ns: 101.5
            }
        );
    }

    #[test]
    fn a_payload_that_an_object_did_not_hold_is_an_error() {
        let error = by_launch([&[1, 2, 3], &[1, 2, 3, 4]], 1, (4, 1)).unwrap_err();
        assert!(error.to_string().contains("held 3 payloads; expected 4"), "{error}");
        assert!(held_longer(&[], &[1]).is_err());
    }

    #[test]
    fn a_delay_of_one_request_in_twenty_changes_the_mean_and_not_the_median() {
        let baseline: Vec<i64> = vec![50; 2_000];
        let sealed: Vec<i64> = (0..2_000)
            .map(|index| if index % 20 == 19 { 20_050 } else { 50 })
            .collect();
        let held = held_longer(&baseline, &sealed).unwrap();
        assert_eq!(
            held,
            HeldLonger {
                median_ns: 0.0,
                mean_ns: 1_000.0
            }
        );
    }
}
