//! The facts of a run from which the checklist of principles is computed.

use std::collections::{BTreeMap, BTreeSet};

use analysis::claims::{ControlKind, Provenance};
use analysis::principles::{ControlFact, EffectFact, RunFacts};
use model::Manifest;
use serde::Serialize;

use crate::results::{ConditionResults, Effect, Results};
use model::ContrastRole;

/// The beginning of the note with the cost of a run.
const COST: &str = "cost: ";

/// The facts of a run, from its manifest and results.
#[must_use]
pub fn run_facts(manifest: &Manifest, results: &Results) -> RunFacts {
    let plan = manifest.plan.as_ref();
    let ran: Vec<&ConditionResults> = results.conditions.iter().filter(|one| one.launches > 0).collect();
    let with_effects = || {
        ran.iter()
            .flat_map(|condition| condition.effects.iter().map(move |one| (*condition, one)))
    };
    let known: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    let treatments: BTreeSet<&str> = manifest
        .launches
        .iter()
        .flat_map(|launch| launch.arms.iter().map(|arm| arm.treatment.as_str()))
        .collect();
    let paid = |condition: &&ConditionResults| Provenance::of(&condition.condition) == Provenance::Engine;
    RunFacts {
        question: plan
            .map(|plan| plan.question.clone())
            .filter(|question| !question.is_empty()),
        metrics: manifest
            .contrasts()
            .iter()
            .map(|contrast| format!("{} ({})", contrast.name, contrast.location))
            .collect(),
        workload: vec![
            ("request", plan.and_then(|plan| json(&plan.request))),
            ("load", plan.and_then(|plan| json(&plan.load))),
            ("sut", plan.and_then(|plan| json(&plan.sut))),
        ],
        launches: ran.iter().map(|one| (one.condition.clone(), one.launches)).collect(),
        treatments: treatments.len(),
        schedule: plan.map(|plan| plan.load.schedule.to_string()),
        setup: set_up(manifest, &ran),
        revision: manifest.revision.as_ref().map(ToString::to_string),
        files: manifest.files.len(),
        unchecked_files: manifest
            .launches
            .iter()
            .map(|launch| launch.files.observations.clone())
            .filter(|file| !known.contains(file.as_str()))
            .collect(),
        effects: with_effects()
            .map(|(condition, effect)| effect_fact(condition, effect))
            .collect(),
        controls: with_effects()
            .filter_map(|(condition, effect)| control_fact(condition, effect))
            .collect(),
        time_columns: dataset::time_columns(),
        paid_conditions: ran
            .iter()
            .filter(|one| paid(one))
            .map(|one| one.condition.clone())
            .collect(),
        cost: manifest
            .notes
            .iter()
            .find_map(|note| note.strip_prefix(COST))
            .map(str::to_owned),
        start_order_varies: start_order_varies(manifest),
        limits_hit: manifest
            .launches
            .iter()
            .flat_map(|launch| launch.limit_hits.iter().flatten())
            .count(),
        steadiness_known: ran
            .iter()
            .map(|one| one.steadiness.launches.values().sum::<usize>())
            .sum(),
        flagged: ran.iter().map(|one| one.flagged).sum(),
        without_flagged: ran.iter().filter(|one| one.flagged > 0).all(|one| {
            let unflagged = one.launches - one.flagged;
            // Fewer than two launches have no interval; the table shows that.
            unflagged < 2
                || one
                    .effects
                    .iter()
                    .all(|effect| effect.wire_median_without_flagged.is_some())
        }),
    }
}

/// A part of the plan as JSON with sorted keys.
fn json(part: &impl Serialize) -> Option<String> {
    Some(serde_json::to_value(part).ok()?.to_string())
}

fn set_up(manifest: &Manifest, ran: &[&ConditionResults]) -> Vec<(&'static str, Option<String>)> {
    let host = &manifest.host;
    let levels: BTreeSet<String> = ran
        .iter()
        .map(|one| format!("{} by {}", one.condition, one.level))
        .collect();
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    vec![
        ("processor", manifest.machine.name.clone()),
        ("memory", host.memory_bytes.map(|bytes| format!("{} MiB", bytes >> 20))),
        ("kernel", host.kernel.clone()),
        ("operating system", host.operating_system.clone()),
        ("clock", host.clock_source.clone()),
        (
            "tools",
            some(
                manifest
                    .tools
                    .iter()
                    .map(|(name, version)| format!("{name} {version}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
        ),
        ("command", some(manifest.command_line.join(" "))),
        ("conditions", some(levels.into_iter().collect::<Vec<_>>().join(", "))),
    ]
}

fn effect_fact(condition: &ConditionResults, effect: &Effect) -> EffectFact {
    let (low, high) = effect.primary().confidence_interval;
    EffectFact {
        name: format!("{} in {}", effect.name, condition.condition),
        interval: low.is_finite() && high.is_finite(),
        tail: effect.wire_p99.is_some(),
    }
}

fn control_fact(condition: &ConditionResults, effect: &Effect) -> Option<ControlFact> {
    let kind = match effect.role {
        ContrastRole::Effect => return None,
        ContrastRole::Control => ControlKind::AA,
        ContrastRole::Calibration => ControlKind::Calibration,
    };
    Some(ControlFact {
        kind,
        condition: condition.condition.clone(),
        bound: effect
            .bound_ns(effect.location)
            .map(|bound_ns| format!("{:.2} µs", bound_ns / 1e3)),
    })
}

/// Whether every arm started in several positions; `None` with one launch or one arm.
fn start_order_varies(manifest: &Manifest) -> Option<bool> {
    let mut positions: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
    for launch in &manifest.launches {
        for arm in &launch.arms {
            let key = (launch.condition.as_str(), arm.arm.as_str());
            positions.entry(key).or_default().push(arm.start_order);
        }
    }
    let several = manifest.launches.iter().any(|launch| launch.arms.len() > 1);
    let repeated: Vec<&Vec<u32>> = positions.values().filter(|orders| orders.len() > 1).collect();
    let varies = |orders: &&Vec<u32>| orders.iter().any(|order| *order != orders[0]);
    (several && !repeated.is_empty()).then(|| repeated.iter().all(varies))
}
