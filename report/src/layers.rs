//! An effect at each layer between the hook and the client: in the hook, at the libc call, in the server's handler, on the
//! wire, at the client.

use analysis::stats::power::{Goal, POWER, launches_for};
use analysis::{Estimate, LatencyMetric, LaunchSamples, differences, estimate};
use model::{ArmRecord, LaunchRecord};
use model::{Contrast, ContrastRole, Location};
use serde::Serialize;

const CONFIDENCE: f64 = 0.95;

/// The layer at which a request is timed, from the hook outwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The time for which the hook holds a payload back, by the hook's clock.
    Hook,
    /// The duration of the receive calls, by the server's clock.
    #[strum(to_string = "libc call")]
    LibcCall,
    /// The time from before the first receive call until the answer was sent, by the server's clock.
    Handler,
    /// The time between the client's kernel stamps.
    #[strum(to_string = "wire time")]
    WireTime,
    /// The round-trip time of the client.
    #[strum(to_string = "RTT")]
    Rtt,
}

impl Layer {
    /// All layers, from the hook outwards.
    pub const ALL: [Self; 5] = [Self::Hook, Self::LibcCall, Self::Handler, Self::WireTime, Self::Rtt];
}

/// An effect at one layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerEffect {
    /// The contrast's name.
    pub contrast: String,
    /// The purpose of the comparison.
    pub role: ContrastRole,
    /// The layer.
    pub layer: Layer,
    /// Difference of medians within launches, ns.
    pub effect: Estimate,
    /// The absolute effect, divided by its standard deviation between launches; `None` if all launches have the same
    /// effect.
    pub signal_to_noise: Option<f64>,
    /// The number of launches that finds an effect of this size at the level of 5 % with a power of 80 %; `None` above a
    /// million.
    pub launches_needed: Option<u32>,
}

/// Returns the effect of a contrast at each layer that has data in every launch. The list is empty for servers without
/// stamps.
pub(crate) fn layers(contrast: &Contrast, launches: &[LaunchSamples], records: &[&LaunchRecord]) -> Vec<LayerEffect> {
    if per_launch(contrast, Layer::Handler, launches, records).is_none() {
        return Vec::new();
    }
    let found = Layer::ALL.into_iter().filter_map(|layer| {
        let effect = estimate(&per_launch(contrast, layer, launches, records)?).ok()?;
        let goal = Goal::Effect {
            size: effect.value.abs(),
            power: POWER,
        };
        Some(LayerEffect {
            contrast: contrast.name.clone(),
            role: contrast.role,
            layer,
            signal_to_noise: (effect.launch_sd > 0.0).then(|| effect.value.abs() / effect.launch_sd),
            launches_needed: launches_for(goal, effect.launch_sd, CONFIDENCE).ok(),
            effect,
        })
    });
    found.collect()
}

/// Returns the difference of medians of each launch at a layer, ns; `None` if a launch lacks the layer.
pub(crate) fn per_launch(
    contrast: &Contrast,
    layer: Layer,
    launches: &[LaunchSamples],
    records: &[&LaunchRecord],
) -> Option<Vec<f64>> {
    let (baseline, arm) = (&contrast.baseline, &contrast.arm);
    let within = |of: &dyn Fn(&ArmRecord) -> Option<f64>| {
        let by_launch = launches.iter().map(|launch| {
            let record = records.iter().find(|record| record.launch == launch.launch)?;
            Some(of(record.arm(arm)?)? - of(record.arm(baseline)?)?)
        });
        by_launch.collect::<Option<Vec<f64>>>()
    };
    let client = |quantity| differences(launches, baseline, arm, quantity, Location::Median).ok();
    match layer {
        Layer::Hook => {
            let hooked = |arm: &ArmRecord| arm.telemetry.is_some();
            let any = records.iter().flat_map(|record| &record.arms);
            let any = any.filter(|one| one.arm == *arm || one.arm == *baseline).any(hooked);
            any.then(|| within(&held_ns))?
        }
        Layer::LibcCall => within(&|arm| Some(arm.server?.call_ns_median)),
        Layer::Handler => within(&|arm| Some(arm.server?.handler_ns_median)),
        Layer::WireTime => client(LatencyMetric::WireTime),
        Layer::Rtt => client(LatencyMetric::Rtt),
    }
}

/// Returns the median time for which the hook holds a payload back, ns: its own work and a known delay. Returns 0 for
/// an arm without a hook.
fn held_ns(arm: &ArmRecord) -> Option<f64> {
    match &arm.telemetry {
        Some(telemetry) => Some(telemetry.held_ns_median),
        None => arm.hook_mapped.is_none().then_some(0.0),
    }
}
