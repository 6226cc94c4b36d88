//! The evidence that runs and recordings give for claims.

mod observed_servers;
mod recorded;

use std::collections::BTreeMap;

use analysis::claims::{
    ControlKind, ControlResult, Evidence, Interval, IntervalTail, LAUNCH_SHARE_ROUNDS, MeasuredQuantity, Quantity,
    Reference, RepeatedLimitHit, Unit, systematic,
};
use analysis::stats::components::launch_share;
use analysis::{
    Estimate, LatencyMetric, difference_of_estimates, differences, estimate, paired_spread_ratio, spread_ratio,
};
use anyhow::Result;
use model::{ContrastRole, Location};
use model::{LaunchRecord, Manifest};

use crate::layers::{Layer, per_launch as per_launch_at};
use crate::results::{ConditionResults, Effect, Results};
use samples::{LaunchTimeline, RunSamples};

pub use observed_servers::of_observed;
pub use recorded::{of_repetitions, of_study};

/// The quantities and controls of one run.
///
/// # Errors
/// When an interval cannot be computed.
pub fn of_run(manifest: &Manifest, samples: &RunSamples, results: &Results) -> Result<Evidence> {
    let mut evidence = Evidence::default();
    let ran: Vec<&ConditionResults> = results
        .conditions
        .iter()
        .filter(|condition| !condition.effects.is_empty())
        .collect();
    for condition in &ran {
        evidence.controls.extend(controls(manifest, condition));
        let context = EvidenceContext::new(manifest, condition, None);
        for effect in &condition.effects {
            let quantity = Quantity::Effect(effect.name.clone());
            let mut measured = context.measured(quantity, effect.primary().into());
            measured.without_flagged = effect.wire_median_without_flagged.as_ref().map(Interval::from);
            evidence.measured.push(measured);
        }
        evidence.measured.extend(beyond(&context, condition, samples)?);
        evidence.measured.extend(farther_observer(&context, condition, samples));
        evidence.measured.extend(nearest_observer(&context, condition, samples));
        evidence.measured.extend(beyond_prediction(&context, condition));
        evidence
            .measured
            .extend(share_of_launches(&context, condition, samples));
    }
    // Both directions: the claim names the reference.
    for condition in &ran {
        for reference in ran
            .iter()
            .filter(|reference| reference.condition != condition.condition)
        {
            evidence
                .measured
                .extend(compared(manifest, samples, condition, reference)?);
        }
    }
    Ok(evidence)
}

/// The properties that all quantities of a condition share.
pub(crate) struct EvidenceContext<'a> {
    manifest: &'a Manifest,
    condition: &'a str,
    reference: Option<&'a str>,
    launches: usize,
    /// The bound on the systematic error of a difference of medians of the condition, and of the reference condition, ns.
    bound_ns: f64,
    limits_hit: Vec<RepeatedLimitHit>,
}

impl<'a> EvidenceContext<'a> {
    pub(crate) fn new(
        manifest: &'a Manifest,
        condition: &'a ConditionResults,
        reference: Option<&'a ConditionResults>,
    ) -> Self {
        let fewest = reference.map_or(usize::MAX, |reference| reference.launches);
        let launches = condition.launches.min(fewest);
        let bound_ns = |condition: &ConditionResults| condition.systematic_ns(Location::Median).unwrap_or(0.0);
        let bound_ns = bound_ns(condition) + reference.map_or(0.0, bound_ns);
        let reference = reference.map(|reference| reference.condition.as_str());
        let condition = condition.condition.as_str();
        let here = |launch: &&LaunchRecord| launch.condition == condition || Some(&*launch.condition) == reference;
        let hits = manifest
            .launches
            .iter()
            .filter(here)
            .flat_map(|launch| launch.limit_hits.iter().flatten());
        // One entry for each subject and kind of limit, with an example and the number of hits.
        let mut limits_hit: Vec<RepeatedLimitHit> = Vec::new();
        for hit in hits {
            let mut known = limits_hit.iter_mut();
            match known.find(|known| known.hit.subject == hit.subject && known.hit.kind == hit.kind) {
                Some(known) => known.times += 1,
                None => limits_hit.push(RepeatedLimitHit {
                    hit: hit.clone(),
                    times: 1,
                }),
            }
        }
        Self {
            manifest,
            condition,
            reference,
            launches,
            bound_ns,
            limits_hit,
        }
    }

    /// A quantity with its statistical interval. Its tail has the degrees of freedom of the condition with fewer launches. The total
    /// interval of a time is wider by the systematic part; the total interval of another quantity equals the statistical one.
    #[expect(clippy::cast_precision_loss, reason = "a count of launches")]
    pub(crate) fn measured(&self, quantity: Quantity, interval: Interval) -> MeasuredQuantity {
        let reference = self.reference.map(|condition| Reference {
            run: self.manifest.run_id.clone(),
            condition: condition.to_owned(),
        });
        let tail = match quantity.unit() {
            Unit::Share => IntervalTail::share(),
            Unit::Ns | Unit::Ratio => IntervalTail {
                degrees_of_freedom: Some(self.launches.saturating_sub(1).max(1) as f64),
                scale: quantity.scale(),
            },
        };
        let total = match (quantity.unit(), &quantity) {
            // Two effects of one cell.
            (Unit::Ns, Quantity::EffectBeyondEffect { .. }) => systematic::widened(&interval, 2.0 * self.bound_ns),
            (Unit::Ns, _) => systematic::widened(&interval, self.bound_ns),
            (Unit::Ratio | Unit::Share, _) => interval,
        };
        let Manifest { experiment, run_id, .. } = self.manifest;
        MeasuredQuantity {
            launches: Some(self.launches),
            reference,
            total: Some(total),
            limits_hit: self.limits_hit.clone(),
            ..recorded_by(
                self.manifest,
                MeasuredQuantity::new(experiment, run_id, self.condition, quantity, (interval, tail)),
            )
        }
    }
}

/// A quantity with the machine, the plan and the revision of its run.
pub(crate) fn recorded_by(manifest: &Manifest, measured: MeasuredQuantity) -> MeasuredQuantity {
    MeasuredQuantity {
        machine: manifest.machine.id(),
        plan_sha256: manifest.plan_sha256.clone(),
        tree_clean: manifest.revision.as_ref().is_some_and(|revision| revision.tree_clean),
        ..measured
    }
}

fn controls(manifest: &Manifest, condition: &ConditionResults) -> Vec<ControlResult> {
    let control = |kind, error: &Estimate| ControlResult {
        kind,
        run: manifest.run_id.clone(),
        source: None,
        machine: manifest.machine.id(),
        condition: condition.condition.clone(),
        interval: error.into(),
        bound_ns: systematic::bound(error),
    };
    condition
        .effects
        .iter()
        .filter_map(|effect| match effect.role {
            ContrastRole::Effect => None,
            ContrastRole::Control => Some(control(ControlKind::AA, effect.primary())),
            ContrastRole::Calibration => effect
                .error
                .as_ref()
                .map(|error| control(ControlKind::Calibration, error)),
        })
        .collect()
}

/// Each effect minus the effect before it, ns.
fn beyond(
    context: &EvidenceContext<'_>,
    condition: &ConditionResults,
    samples: &RunSamples,
) -> Result<Vec<MeasuredQuantity>> {
    let effects: Vec<&Effect> = condition.costs().collect();
    let mut found = Vec::new();
    for pair in effects.windows(2) {
        if let Some(further) = excess(condition, samples, pair[1], pair[0])? {
            let quantity = Quantity::EffectBeyondEffect {
                name: pair[1].name.clone(),
                other: pair[0].name.clone(),
            };
            found.push(context.measured(quantity, (&further).into()));
        }
    }
    Ok(found)
}

/// One effect minus another, ns. Each launch has both effects, so the difference is taken within launches.
/// `None` with fewer than two launches.
pub(crate) fn excess(
    condition: &ConditionResults,
    samples: &RunSamples,
    one: &Effect,
    other: &Effect,
) -> Result<Option<Estimate>> {
    let of = |effect| primary_per_launch(condition, samples, effect);
    let (Some(one), Some(other)) = (of(one), of(other)) else {
        return Ok(None);
    };
    let further: Vec<f64> = one.iter().zip(&other).map(|(one, other)| one - other).collect();
    Ok((further.len() >= 2).then(|| estimate(&further)).transpose()?)
}

/// The spread of the A/A difference of the client's RTT, divided by its spread in the wire time of the same requests.
fn farther_observer(
    context: &EvidenceContext<'_>,
    condition: &ConditionResults,
    samples: &RunSamples,
) -> Option<MeasuredQuantity> {
    let control = condition.control()?;
    let rtt = per_launch(condition, samples, control, LatencyMetric::Rtt)?;
    let wire = per_launch(condition, samples, control, LatencyMetric::WireTime)?;
    let (value, ends) = paired_spread_ratio(&rtt, &wire)?;
    Some(context.measured(Quantity::RttSpreadByWireTimeSpread, Interval::new(value, ends)))
}

/// The spread of the whole hook's effect on the RTT, divided by its spread at the hook. An unmodified arm has no hook, so the
/// A/A difference has no spread there.
fn nearest_observer(
    context: &EvidenceContext<'_>,
    condition: &ConditionResults,
    samples: &RunSamples,
) -> Option<MeasuredQuantity> {
    // Only servers that stamp their requests are timed at every layer.
    if condition.layers.is_empty() {
        return None;
    }
    let whole = condition.costs().next_back()?.contrast();
    let records: Vec<&LaunchRecord> = context.manifest.launches_in(context.condition).collect();
    let here = samples.launches_in(&condition.condition);
    let at = |layer| per_launch_at(&whole, layer, here, &records);
    let (value, ends) = paired_spread_ratio(&at(Layer::Rtt)?, &at(Layer::Hook)?)?;
    Some(context.measured(Quantity::RttEffectSpreadByHookEffectSpread, Interval::new(value, ends)))
}

/// The effect of each hook, divided by the prediction of a tight loop, where the prediction differs from zero.
fn beyond_prediction(context: &EvidenceContext<'_>, condition: &ConditionResults) -> Vec<MeasuredQuantity> {
    let hooks = condition.isolated.iter().filter(|isolated| isolated.whole);
    let measured = hooks.filter_map(|isolated| {
        let ratio = isolated.ratio?;
        Some(MeasuredQuantity {
            parameters: BTreeMap::from([("contrast".to_owned(), isolated.contrast.clone())]),
            total: isolated.total(context.bound_ns),
            ..context.measured(Quantity::ObservedByPredictedCost, ratio)
        })
    });
    measured.collect()
}

/// The share of the variance of the A/A difference that lies between launches of [`LAUNCH_SHARE_ROUNDS`] measured rounds. `None`
/// for a run whose launches are shorter.
fn share_of_launches(
    context: &EvidenceContext<'_>,
    condition: &ConditionResults,
    samples: &RunSamples,
) -> Option<MeasuredQuantity> {
    let control = condition.control()?;
    let timelines: Vec<&LaunchTimeline> = samples.timelines_in(&condition.condition).map(|(_, one)| one).collect();
    let segments = usize::try_from(LAUNCH_SHARE_ROUNDS / timelines.first()?.segment_rounds).ok()?;
    let differences: Vec<Vec<f64>> = timelines
        .iter()
        .map(|timeline| timeline.differences(&control.baseline, &control.arm))
        .collect();
    let (value, ends) = launch_share(&differences, segments).ok()?;
    Some(context.measured(Quantity::LaunchShareOfVariance, Interval::new(value, ends)))
}

/// The quantities that compare one condition with another of the same run.
fn compared(
    manifest: &Manifest,
    samples: &RunSamples,
    condition: &ConditionResults,
    reference: &ConditionResults,
) -> Result<Vec<MeasuredQuantity>> {
    let context = EvidenceContext::new(manifest, condition, Some(reference));
    let mut found = Vec::new();
    if let (Some(one), Some(other)) = (condition.control(), reference.control())
        && let Some(one) = primary_per_launch(condition, samples, one)
        && let Some(other) = primary_per_launch(reference, samples, other)
        && let Some((value, ends)) = spread_ratio(&one, &other)
    {
        found.push(context.measured(Quantity::AASpread, Interval::new(value, ends)));
    }
    for one in condition.costs() {
        if let Some(other) = reference.effects.iter().find(|other| other.name == one.name) {
            let (value, ends) = difference_of_estimates(one.primary(), other.primary())?;
            let quantity = Quantity::EffectDifference(one.name.clone());
            found.push(context.measured(quantity, Interval::new(value, ends)));
        }
    }
    Ok(found)
}

/// The difference of medians of each launch, ns: of wire times where there are stamps, of RTTs otherwise.
pub(crate) fn primary_per_launch(
    condition: &ConditionResults,
    samples: &RunSamples,
    effect: &Effect,
) -> Option<Vec<f64>> {
    let metric = if effect.wire_median.is_some() {
        LatencyMetric::WireTime
    } else {
        LatencyMetric::Rtt
    };
    per_launch(condition, samples, effect, metric)
}

fn per_launch(
    condition: &ConditionResults,
    samples: &RunSamples,
    effect: &Effect,
    metric: LatencyMetric,
) -> Option<Vec<f64>> {
    let here = samples.launches_in(&condition.condition);
    differences(here, &effect.baseline, &effect.arm, metric, Location::Median).ok()
}
