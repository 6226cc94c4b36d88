//! The cost of the hook in a server, beside the prediction from its cost in a tight loop.

use analysis::claims::{Interval, systematic};
use analysis::{Estimate, LatencyMetric, LaunchSamples, differences, estimate, ratio_of_paired_means};
use model::{ArmRecord, LaunchRecord};
use model::{Contrast, Location};
use serde::Serialize;

/// The observed and the predicted effect of one contrast.
#[derive(Clone, Debug, Serialize)]
pub struct MicroPrediction {
    /// The contrast's name.
    pub contrast: String,
    /// True if the contrast's baseline has no hook. The effect is then the cost of a whole hook.
    pub whole: bool,
    /// The number of payload receives for each request, counted by the hook of the contrast's arm: the mean over launches.
    pub calls_per_request: f64,
    /// The predicted cost of a request: cost per call in the tight loop times calls per request, arm minus baseline, ns.
    pub predicted: Estimate,
    /// The cost of a request in the server: the primary effect, ns.
    pub observed: Estimate,
    /// The observed cost, divided by the predicted one; `None` where the prediction does not differ from zero.
    pub ratio: Option<Interval>,
    /// The observed and the predicted cost of each launch, ns.
    #[serde(skip)]
    pub(crate) launches_ns: (Vec<f64>, Vec<f64>),
}

impl MicroPrediction {
    /// The ratio with its total interval, if the observed cost has a systematic error of at most `bound_ns`. The tight loop has no
    /// part in this error.
    pub(crate) fn total(&self, bound_ns: f64) -> Option<Interval> {
        let (observed_ns, predicted_ns) = &self.launches_ns;
        systematic::ratio([bound_ns, 0.0], |shift_ns, _| {
            let shifted: Vec<f64> = observed_ns.iter().map(|cost_ns| cost_ns + shift_ns).collect();
            ratio_of_paired_means(&shifted, predicted_ns)
        })
    }
}

/// Compares both effects in each launch; `None` where no tight loop was measured for an arm of the contrast.
pub(crate) fn micro_prediction(
    contrast: &Contrast,
    launches: &[LaunchSamples],
    records: &[&LaunchRecord],
) -> Option<MicroPrediction> {
    let mut predicted_ns = Vec::new();
    let mut calls = Vec::new();
    let mut whole = true;
    for launch in launches {
        let record = records.iter().find(|record| record.launch == launch.launch)?;
        let (arm, baseline) = (record.arm(&contrast.arm)?, record.arm(&contrast.baseline)?);
        whole &= baseline.hook_mapped.is_none();
        predicted_ns.push(cost_ns(arm)? - cost_ns(baseline)?);
        calls.push(calls_per_request(arm)?);
    }
    let of = |quantity| differences(launches, &contrast.baseline, &contrast.arm, quantity, Location::Median).ok();
    let observed_ns = of(LatencyMetric::WireTime).or_else(|| of(LatencyMetric::Rtt))?;
    let ratio = ratio_of_paired_means(&observed_ns, &predicted_ns);
    Some(MicroPrediction {
        contrast: contrast.name.clone(),
        whole,
        calls_per_request: estimate(&calls).ok()?.value,
        predicted: estimate(&predicted_ns).ok()?,
        observed: estimate(&observed_ns).ok()?,
        ratio: ratio.map(Interval::from),
        launches_ns: (observed_ns, predicted_ns),
    })
}

/// The cost of an arm's treatment for each request by the tight loop, ns; 0 without a hook.
fn cost_ns(arm: &ArmRecord) -> Option<f64> {
    if arm.hook_mapped.is_none() {
        return Some(0.0);
    }
    Some(arm.tight_loop?.cost_ns() * calls_per_request(arm)?)
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls and requests")]
fn calls_per_request(arm: &ArmRecord) -> Option<f64> {
    let receives = arm.coverage.as_ref()?.payload_receives;
    (arm.requests_sent > 0).then(|| receives as f64 / arm.requests_sent as f64)
}
