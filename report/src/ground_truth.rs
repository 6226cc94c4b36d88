//! Known delays: their true values and the errors of the recovered values.

use std::collections::BTreeMap;

use analysis::{Estimate, LatencyMetric, LaunchSamples, effect, estimate, mean};
use anyhow::Result;
use model::LaunchRecord;
use model::{Contrast, Location};
use serde::{Deserialize, Serialize};

/// The parts of a round trip that are the client's own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RoundTripParts {
    /// From the user's send stamp to the kernel's.
    pub send_path: Estimate,
    /// From the kernel's receive stamp to the user's.
    pub wake_up: Estimate,
}

/// The mean over launches of the true difference, and the estimate of recovered minus true. `None` without telemetry or
/// kernel stamps.
pub(crate) fn calibration(
    contrast: &Contrast,
    launches: &[LaunchSamples],
    records: &[&LaunchRecord],
) -> Result<Option<(f64, Estimate)>> {
    let Some(launches) = calibration_errors(contrast, launches, records, LatencyMetric::WireTime) else {
        return Ok(None);
    };
    let (truths_ns, errors_ns): (Vec<f64>, Vec<f64>) = launches.into_iter().unzip();
    Ok(Some((mean(&truths_ns), estimate(&errors_ns)?)))
}

/// Differences of the client's own parts of the round trip; `None` where the clocks' difference is not known.
pub(crate) fn parts(launches: &[LaunchSamples], contrast: &Contrast) -> Option<RoundTripParts> {
    let of = |quantity| effect(launches, &contrast.baseline, &contrast.arm, quantity, Location::Median).ok();
    Some(RoundTripParts {
        send_path: of(LatencyMetric::SendPath)?,
        wake_up: of(LatencyMetric::WakeUp)?,
    })
}

/// The true difference of each launch and recovered minus true, ns: both per launch, since the time that the hook
/// really held a payload back differs from launch to launch. `None` where a launch has no telemetry or no observation
/// of the quantity.
pub(crate) fn calibration_errors(
    contrast: &Contrast,
    launches: &[LaunchSamples],
    records: &[&LaunchRecord],
    quantity: LatencyMetric,
) -> Option<Vec<(f64, f64)>> {
    let truths: BTreeMap<u32, f64> = records
        .iter()
        .filter_map(|record| {
            let truth_ns = record.held_longer_ns(&contrast.arm, &contrast.baseline, contrast.location)?;
            Some((record.launch, truth_ns))
        })
        .collect();
    launches
        .iter()
        .map(|launch| {
            let located = |arm: &String| launch.arms.get(arm)?.of(quantity).location(contrast.location);
            let truth_ns = *truths.get(&launch.launch)?;
            Some((
                truth_ns,
                located(&contrast.arm)? - located(&contrast.baseline)? - truth_ns,
            ))
        })
        .collect()
}
