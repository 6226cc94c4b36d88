//! The estimates of a run, computed once for tables, figures, `results.json`, the page and the notebooks.

use std::collections::{BTreeMap, BTreeSet};

use analysis::claims::{Expectation, Interval, Verdict, systematic};
use analysis::{
    Estimate, LatencyMetric, LaunchSamples, OrderSamples, carry_over, differences, effect, estimate, levels,
    turn_effect,
};
use anyhow::{Context, Result};
use model::{Contrast, ContrastRole, Location};
use model::{LaunchRecord, Manifest};
use serde::Serialize;

use crate::contrasts::contrasts;
use crate::ground_truth::{RoundTripParts, calibration, parts};
use crate::layers::{LayerEffect, layers};
use crate::micro_prediction::{MicroPrediction, micro_prediction};
use crate::noise::{RequestNoise, noise};
use samples::RunSamples;

/// One contrast in one condition. All times in ns.
#[derive(Clone, Debug, Serialize)]
pub struct Effect {
    /// The contrast's name.
    pub name: String,
    /// The purpose of the comparison.
    pub role: ContrastRole,
    /// The arm that is subtracted.
    pub baseline: String,
    /// The arm from which it is subtracted.
    pub arm: String,
    /// The location of the definition, at which a calibration's error is computed.
    pub location: Location,
    /// The primary estimate: the difference of median wire times. Absent where the kernel gave no stamps.
    pub wire_median: Option<Estimate>,
    /// The primary estimate without flagged launches; absent if no launch is flagged.
    pub wire_median_without_flagged: Option<Estimate>,
    /// Difference of median round-trip time.
    pub rtt_median: Estimate,
    /// The differences of the medians of the RTT's other parts, the send path before the wire time and the wake-up after it.
    /// Absent where the difference of the clocks is unknown.
    pub parts: Option<RoundTripParts>,
    /// Difference of 99th percentiles of wire time.
    pub wire_p99: Option<Estimate>,
    /// Difference of mean wire time.
    pub wire_mean: Option<Estimate>,
    /// Calibration only: the true difference, from the hook's telemetry.
    pub truth_ns: Option<f64>,
    /// Calibration only: recovered minus true delay.
    pub error: Option<Estimate>,
    /// Calibration only: recovered minus true delay, both by the mean.
    pub error_of_mean: Option<Estimate>,
    /// Effects only: the primary effect with the interval that includes the systematic part of the condition.
    pub total: Option<Interval>,
    /// Effects only: the verdict on a cost above zero, by the total interval. Inconclusive without a control.
    pub verdict: Option<Verdict>,
}

impl Effect {
    /// The contrast with medians as its location.
    pub(crate) fn contrast(&self) -> Contrast {
        Contrast {
            name: self.name.clone(),
            baseline: self.baseline.clone(),
            arm: self.arm.clone(),
            role: self.role,
            location: Location::Median,
        }
    }

    /// The error of a control at a location; `None` for an effect, and for a location at which the control has no error.
    fn error_at(&self, location: Location) -> Option<&Estimate> {
        match (self.role, location) {
            (ContrastRole::Control, Location::Median) => Some(self.primary()),
            (ContrastRole::Control, Location::Mean) => self.wire_mean.as_ref(),
            (ContrastRole::Calibration, Location::Mean) => self.error_of_mean.as_ref(),
            (ContrastRole::Calibration, location) if location == self.location => self.error.as_ref(),
            _ => None,
        }
    }

    /// The bound on the absolute systematic error that a control shows at a location, ns ([`systematic::bound`]). `None` for an
    /// effect, and for a location at which the control has no error.
    #[must_use]
    pub fn bound_ns(&self, location: Location) -> Option<f64> {
        self.error_at(location).map(systematic::bound)
    }

    /// The primary estimate: wire time where there are stamps, RTT otherwise.
    #[must_use]
    pub fn primary(&self) -> &Estimate {
        self.wire_median.as_ref().unwrap_or(&self.rtt_median)
    }
}

/// One condition of a run.
#[derive(Clone, Debug, Serialize)]
pub struct ConditionResults {
    /// Name.
    pub condition: String,
    /// The level of isolation.
    pub level: String,
    /// The reason for which it did not run; `None` if it ran.
    pub not_run: Option<String>,
    /// Launches measured.
    pub launches: usize,
    /// Launches that failed a check on which the estimates depend.
    pub flagged: usize,
    /// The effects, in the order of the experiment.
    pub effects: Vec<Effect>,
    /// The contrasts at every layer; empty where the server leaves no stamps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerEffect>,
    /// The effects with the predictions of tight loops; empty where no tight loop was measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub isolated: Vec<MicroPrediction>,
    /// The effects of the order of requests; empty for schedules other than the interleaved one.
    pub order: Vec<OrderEffect>,
    /// The steadiness of the first contrast's baseline in each launch.
    pub steadiness: Settling,
    /// The noise of the requests of the first contrast's baseline within launches; absent where there are too few
    /// segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<RequestNoise>,
}

impl ConditionResults {
    /// Adds total intervals and verdicts to the effects.
    fn add_systematic(&mut self) {
        let bound = self.systematic_ns(Location::Median);
        for effect in self
            .effects
            .iter_mut()
            .filter(|effect| effect.role == ContrastRole::Effect)
        {
            effect.total = bound.map(|bound| systematic::widened(&effect.primary().into(), bound));
            let verdict = |total: &Interval| Expectation::positive().judge(total);
            effect.verdict = Some(effect.total.as_ref().map_or(Verdict::Inconclusive, verdict));
        }
    }

    /// The bound on the absolute systematic error of effects at a location, ns: the largest bound of the controls. `None` if no
    /// control has an error at this location.
    #[must_use]
    pub fn systematic_ns(&self, location: Location) -> Option<f64> {
        let bounds = self.effects.iter().filter_map(|effect| effect.bound_ns(location));
        bounds.reduce(f64::max)
    }

    /// The A/A control; `None` where the experiment has none.
    #[must_use]
    pub fn control(&self) -> Option<&Effect> {
        self.effects.iter().find(|effect| effect.role == ContrastRole::Control)
    }

    /// The effects of treatments in the order of the experiment. By convention the last one is the effect of the whole hook.
    pub fn costs(&self) -> impl DoubleEndedIterator<Item = &Effect> {
        self.effects.iter().filter(|effect| effect.role == ContrastRole::Effect)
    }
}

/// The steadiness of launches, by changepoints of the segments' median RTT, warm-up included.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Settling {
    /// The number of launches by their steadiness.
    pub launches: BTreeMap<String, usize>,
    /// The number of rounds that the plan flags as warm-up.
    pub flagged_rounds: u64,
    /// The launches whose median RTT still changed its level after these rounds. All their observations are kept.
    pub settled_later: BTreeSet<u32>,
}

/// The effect of the order of requests on the median wire time of the first contrast's baseline, ns.
#[derive(Clone, Debug, Serialize)]
pub struct OrderEffect {
    /// The requests that are compared.
    pub name: String,
    /// The time by which the first kind of requests is slower, ns.
    pub estimate: Estimate,
}

/// The results of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// The run.
    pub run_id: String,
    /// The experiment's name.
    pub experiment: String,
    /// The machine ([`model::Machine::described`]).
    pub machine: String,
    /// The conditions, in the order of the manifest.
    pub conditions: Vec<ConditionResults>,
}

/// Computes a run's results.
///
/// # Errors
/// When the manifest's plan has no contrasts, or an arm that they name has no observation.
pub fn results(manifest: &Manifest, run: &RunSamples) -> Result<Results> {
    let contrasts = contrasts(manifest)?;
    let conditions = manifest
        .conditions
        .iter()
        .map(|record| {
            let samples = run.launches_in(&record.name);
            let records: Vec<&LaunchRecord> = manifest.launches_in(&record.name).collect();
            let steadiness = settling(manifest, &record.name, run);
            let flagged: BTreeSet<u32> = records
                .iter()
                .filter(|launch| !launch.valid)
                .map(|launch| launch.launch)
                .collect();
            let effects = if samples.is_empty() {
                Vec::new()
            } else {
                contrasts
                    .iter()
                    .map(|contrast| contrast_effect(contrast, samples, &records, &flagged))
                    .collect::<Result<_>>()
                    .with_context(|| format!("condition {}", record.name))?
            };
            let mut condition = ConditionResults {
                condition: record.name.clone(),
                level: record.described(),
                not_run: record.not_run.clone(),
                launches: samples.len(),
                flagged: flagged.len(),
                effects,
                layers: contrasts
                    .iter()
                    .flat_map(|contrast| layers(contrast, samples, &records))
                    .collect(),
                isolated: contrasts
                    .iter()
                    .filter(|contrast| contrast.role == ContrastRole::Effect)
                    .filter_map(|contrast| micro_prediction(contrast, samples, &records))
                    .collect(),
                order: order_effects(&record.name, &contrasts, run),
                steadiness,
                noise: contrasts
                    .first()
                    .and_then(|contrast| noise(&record.name, &contrast.baseline, run)),
            };
            condition.add_systematic();
            Ok(condition)
        })
        .collect::<Result<_>>()?;
    Ok(Results {
        run_id: manifest.run_id.clone(),
        experiment: manifest.experiment.clone(),
        machine: manifest.machine.described(),
        conditions,
    })
}

/// The carry-over from each arm to the first contrast's baseline, against the carry-over from that contrast's other arm; and
/// the effect of the position in the round.
fn order_effects(condition: &str, contrasts: &[Contrast], samples: &RunSamples) -> Vec<OrderEffect> {
    let Some(contrast) = contrasts.first() else {
        return Vec::new();
    };
    let subject = &contrast.baseline;
    let orders: Vec<&OrderSamples> = samples
        .timelines_in(condition)
        .map(|(_, timeline)| &timeline.order)
        .collect();
    let mut found = Vec::new();
    let mut add = |name: String, estimate: Option<Estimate>| {
        found.extend(estimate.map(|estimate| OrderEffect { name, estimate }));
    };
    let names: BTreeSet<&String> = samples
        .launches
        .iter()
        .filter(|launch| launch.condition == condition)
        .flat_map(|launch| launch.arms.keys())
        .collect();
    for name in names
        .into_iter()
        .filter(|name| *name != subject && **name != contrast.arm)
    {
        add(
            format!("{subject} after {name}, not after {}", contrast.arm),
            carry_over(&orders, name, &contrast.arm),
        );
    }
    add(format!("{subject} last in a round, not first"), turn_effect(&orders));
    found
}

/// Changepoints of the first contrast's baseline in each launch of a condition.
fn settling(manifest: &Manifest, condition: &str, run: &RunSamples) -> Settling {
    let mut settling = Settling {
        flagged_rounds: manifest.plan.as_ref().map_or(0, |plan| plan.load.warm_up_rounds),
        ..Settling::default()
    };
    for (launch, timeline) in run.timelines_in(condition) {
        let Some(found) = levels(&timeline.segment_medians_ns) else {
            continue;
        };
        *settling.launches.entry(found.steadiness.to_string()).or_default() += 1;
        let settled_round = found.settled_from() as u64 * timeline.segment_rounds;
        if settled_round > settling.flagged_rounds {
            settling.settled_later.insert(launch);
        }
    }
    settling
}

fn contrast_effect(
    contrast: &Contrast,
    launches: &[LaunchSamples],
    records: &[&LaunchRecord],
    flagged: &BTreeSet<u32>,
) -> Result<Effect> {
    let of = |samples: &[LaunchSamples], quantity, location| {
        effect(samples, &contrast.baseline, &contrast.arm, quantity, location)
    };
    let rtt_median =
        of(launches, LatencyMetric::Rtt, Location::Median).with_context(|| format!("contrast {}", contrast.name))?;
    // An error here means that no observation carries kernel stamps; RTT stands in and the report says so.
    let wire = |location| of(launches, LatencyMetric::WireTime, location).ok();
    let without_flagged = || -> Option<Estimate> {
        let (baseline, arm) = (&contrast.baseline, &contrast.arm);
        let all = differences(launches, baseline, arm, LatencyMetric::WireTime, Location::Median).ok()?;
        let kept = launches
            .iter()
            .zip(all)
            .filter(|(launch, _)| !flagged.contains(&launch.launch));
        estimate(&kept.map(|(_, difference_ns)| difference_ns).collect::<Vec<_>>()).ok()
    };
    let any_flagged = launches.iter().any(|launch| flagged.contains(&launch.launch));
    let wire_median_without_flagged = any_flagged.then(without_flagged).flatten();
    let wire_median = wire(Location::Median);
    let calibrated = |location| match contrast.role {
        ContrastRole::Calibration => calibration(
            &Contrast {
                location,
                ..contrast.clone()
            },
            launches,
            records,
        ),
        ContrastRole::Effect | ContrastRole::Control => Ok(None),
    };
    let calibration = calibrated(contrast.location)?;
    Ok(Effect {
        name: contrast.name.clone(),
        role: contrast.role,
        baseline: contrast.baseline.clone(),
        arm: contrast.arm.clone(),
        location: contrast.location,
        wire_median_without_flagged,
        parts: parts(launches, contrast),
        wire_p99: wire(Location::P99),
        wire_mean: wire(Location::Mean),
        truth_ns: calibration.as_ref().map(|(truth_ns, _)| *truth_ns),
        error: calibration.map(|(_, error)| error),
        error_of_mean: calibrated(Location::Mean)?.map(|(_, error)| error),
        total: None,
        verdict: None,
        wire_median,
        rtt_median,
    })
}
