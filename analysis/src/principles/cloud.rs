//! The eight principles of Papadopoulos et al. 2019.

use super::checklist_item::{ChecklistItem, PrincipleFinding, PrincipleSource, PrincipleStatus, item};
use super::common_findings::{open, repeated, stated};
use super::facts::RunFacts;
use crate::claims::ControlKind;

pub(super) fn items(facts: &RunFacts) -> Vec<ChecklistItem> {
    let of = |name, finding| item(PrincipleSource::CloudPrinciples, name, finding);
    vec![
        of("P1 Repeated experiments", repeated(facts)),
        of("P2 Workload and configuration coverage", covered(facts)),
        of("P3 Experimental setup description", stated("manifest", &facts.setup)),
        of("P4 Open access artifact", open(facts)),
        of("P5 Probabilistic result description", probabilistic(facts)),
        of("P6 Statistical evaluation", evaluated(facts)),
        of("P7 Measurement units", units(facts)),
        cost(facts),
    ]
}

/// Several configurations, and no fixed order.
fn covered(facts: &RunFacts) -> PrincipleFinding {
    let conditions = facts.launches.len();
    if conditions < 2 {
        return Err(format!(
            "{conditions} condition ran; one configuration says nothing of others"
        ));
    }
    if facts.treatments < 2 {
        return Err("one treatment; there is nothing to compare".to_owned());
    }
    match facts.schedule.as_deref() {
        Some("interleaved") => Ok(format!(
            "{conditions} conditions with {} treatments each, their order random in each round",
            facts.treatments
        )),
        Some(other) => Err(format!("the order of the requests is {other}, not random")),
        None => Err("the manifest does not say in which order requests were sent".to_owned()),
    }
}

fn probabilistic(facts: &RunFacts) -> PrincipleFinding {
    let missing: Vec<&str> = facts
        .effects
        .iter()
        .filter(|effect| !(effect.interval && effect.tail))
        .map(|effect| effect.name.as_str())
        .collect();
    if facts.effects.is_empty() {
        Err("no effect".to_owned())
    } else if missing.is_empty() {
        Ok(format!(
            "{} effects with medians, means, 99th percentiles and 95 % intervals over launches",
            facts.effects.len()
        ))
    } else {
        Err(format!(
            "without an interval or a 99th percentile: {}",
            missing.join(", ")
        ))
    }
}

fn evaluated(facts: &RunFacts) -> PrincipleFinding {
    let missing: Vec<String> = ControlKind::ALL
        .into_iter()
        .flat_map(|kind| {
            let lacks = move |condition: &&String| {
                !facts
                    .controls
                    .iter()
                    .any(|control| control.kind == kind && control.condition == **condition)
            };
            let conditions = facts.launches.keys().filter(lacks);
            conditions.map(move |condition| format!("{kind} in {condition}"))
        })
        .collect();
    if facts.effects.is_empty() || !missing.is_empty() {
        return Err(format!("no effect, or no {}", missing.join(", no ")));
    }
    Ok(format!(
        "{} controls, whose errors all total intervals include; minimum detectable effects; misses counted over runs",
        facts.controls.len()
    ))
}

fn units(facts: &RunFacts) -> PrincipleFinding {
    let without: Vec<&str> = facts
        .time_columns
        .iter()
        .filter(|column| !column.ends_with("_ns"))
        .map(String::as_str)
        .collect();
    if facts.time_columns.is_empty() || !without.is_empty() {
        return Err(format!(
            "columns of times that do not name their unit: {}",
            without.join(", ")
        ));
    }
    Ok(format!(
        "nanoseconds, in the names of {} columns of times",
        facts.time_columns.len()
    ))
}

fn cost(facts: &RunFacts) -> ChecklistItem {
    let name = "P8 Cost";
    if facts.paid_conditions.is_empty() {
        return ChecklistItem {
            source: PrincipleSource::CloudPrinciples,
            name,
            status: PrincipleStatus::NotApplicable,
            evidence: "everything ran on this machine".to_owned(),
        };
    }
    let finding = facts.cost.clone().ok_or_else(|| {
        format!(
            "the manifest does not say what {} cost",
            facts.paid_conditions.join(", ")
        )
    });
    item(PrincipleSource::CloudPrinciples, name, finding)
}
