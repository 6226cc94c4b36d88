//! ACM SIGSOFT's empirical standard for benchmarking.

use super::checklist_item::{ChecklistItem, PrincipleFinding, PrincipleSource, PrincipleStatus, item};
use super::common_findings::{open, repeated, stated};
use super::facts::{ControlFact, RunFacts};
use crate::claims::ControlKind;

pub(super) fn items(facts: &RunFacts) -> Vec<ChecklistItem> {
    let of = |name, finding| item(PrincipleSource::BenchmarkingStandard, name, finding);
    vec![
        of(
            "essential: defines quality, metric, method and workload",
            defined(facts),
        ),
        of(
            "essential: describes the setup for replication",
            stated("manifest", &facts.setup),
        ),
        of(
            "essential: specifies the workload for replication",
            stated("plan", &facts.workload),
        ),
        of("essential: lets configurations compete on their merits", fair(facts)),
        of(
            "essential: assesses stability by repetitions and duration",
            stable(facts),
        ),
        of("essential: construct validity", valid(facts)),
        of("desirable: provides raw data and tools", open(facts)),
        of("desirable: reports problems of its runs", problems(facts)),
        ChecklistItem {
            source: PrincipleSource::BenchmarkingStandard,
            name: "desirable: independent replication, community, maintenance by others",
            status: PrincipleStatus::NotApplicable,
            evidence: "no run can show it; the standard calls its absence an invalid criticism".to_owned(),
        },
    ]
}

fn defined(facts: &RunFacts) -> PrincipleFinding {
    let Some(question) = &facts.question else {
        return Err("the plan has no question".to_owned());
    };
    if facts.metrics.is_empty() {
        return Err("the plan has no contrast, so that there is no metric".to_owned());
    }
    stated("plan", &facts.workload)?;
    Ok(format!("{question} Metrics: {}", facts.metrics.join(", ")))
}

fn fair(facts: &RunFacts) -> PrincipleFinding {
    if facts.limits_hit > 0 {
        return Err(format!("resource limits were hit {} times", facts.limits_hit));
    }
    match facts.start_order_varies {
        Some(true) => Ok("every arm started in several positions over the launches; no limit was hit".to_owned()),
        Some(false) => Err("an arm always started in the same position".to_owned()),
        None => Err("one launch or one arm, so that nothing could be permuted".to_owned()),
    }
}

fn stable(facts: &RunFacts) -> PrincipleFinding {
    let repeated = repeated(facts)?;
    if facts.steadiness_known == 0 {
        return Err(format!("{repeated}; but of no launch it is known whether it settled"));
    }
    Ok(format!(
        "{repeated}; changepoints looked for in {} of them",
        facts.steadiness_known
    ))
}

/// A known delay shows whether the measurement is valid.
fn valid(facts: &RunFacts) -> PrincipleFinding {
    let calibrations: Vec<&ControlFact> = facts
        .controls
        .iter()
        .filter(|control| control.kind == ControlKind::Calibration)
        .collect();
    if calibrations.is_empty() {
        return Err("no known delay was measured".to_owned());
    }
    let shown = |control: &&ControlFact| {
        let bound = control.bound.as_ref()?;
        Some(format!("{bound} in {}", control.condition))
    };
    let bounds: Option<Vec<String>> = calibrations.iter().map(shown).collect();
    bounds
        .map(|bounds| format!("known delays recovered with an error of at most {}", bounds.join(", ")))
        .ok_or_else(|| "the error of a known delay has no interval".to_owned())
}

fn problems(facts: &RunFacts) -> PrincipleFinding {
    if facts.flagged > 0 && !facts.without_flagged {
        return Err(format!(
            "{} launches are flagged, but no estimate leaves them out",
            facts.flagged
        ));
    }
    if facts.launches.is_empty() {
        return Err("no launch".to_owned());
    }
    Ok(format!(
        "{} launches flagged; estimates with and without such",
        facts.flagged
    ))
}
