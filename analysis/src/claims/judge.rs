//! The verdicts of claims.

use std::collections::BTreeMap;

use super::control::ControlResult;
use super::definition::{Claim, Claims, Gates};
use super::error::ClaimsError;
use super::evidence::{Evidence, MeasuredQuantity};
use super::expectation::Verdict;
use super::judged::{ClaimRow, Doubt, FEWEST_LAUNCHES, JudgedClaim, JudgedRecommendation};
use super::margins::ControlKind;
use super::verdict_text::VerdictText;

/// Judges every claim.
///
/// The interval of a row decides the row ([`super::Expectation::judge`]). A row is inconclusive if a control of its run failed,
/// a limit was hit, or it has fewer than ten launches; a condition whose rows all have fewer takes no part in the verdict. A
/// condition is decided by its decisive rows where they agree. One condition that refutes a claim refutes it. A claim is
/// supported if all conditions with data support it and their number is at least [`Claim::at_least`].
///
/// # Errors
/// When a quantity of the evidence has another unit than its claim.
pub fn judge(claims: &Claims, evidence: &Evidence) -> Result<Vec<JudgedRecommendation>, ClaimsError> {
    claims
        .recommendations
        .iter()
        .map(|recommendation| {
            let judged = recommendation.claims.iter().map(|claim| one(claims, claim, evidence));
            Ok(JudgedRecommendation {
                number: recommendation.number,
                text: recommendation.text.clone(),
                claims: judged.collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

fn one(claims: &Claims, claim: &Claim, evidence: &Evidence) -> Result<JudgedClaim, ClaimsError> {
    let rows: Vec<ClaimRow> = evidence
        .measured
        .iter()
        .filter(|measured| measured.quantity == claim.quantity && claim.experiments.contains(&measured.experiment))
        .filter(|measured| claim.conditions.contains(&place(measured)))
        .map(|measured| row(claims, claim, measured, &evidence.controls))
        .collect::<Result<_, _>>()?;
    let mut by_condition: BTreeMap<&str, Vec<&ClaimRow>> = BTreeMap::new();
    for row in &rows {
        by_condition.entry(&row.condition).or_default().push(row);
    }
    let verdicts: BTreeMap<&str, Verdict> = by_condition
        .into_iter()
        .map(|(condition, rows)| (condition, agreed(&rows)))
        .collect();
    let not_run: Vec<String> = claim
        .conditions
        .iter()
        .filter(|condition| !verdicts.contains_key(condition.as_str()))
        .cloned()
        .collect();
    let takes_part = |condition: &&str| rows.iter().any(|row| row.condition == **condition && row.counts());
    let heard = verdicts.iter().filter(|(condition, _)| takes_part(condition));
    let heard: Vec<Verdict> = heard.map(|(_, verdict)| *verdict).collect();
    let verdict = overall(claim, !rows.is_empty(), &heard);
    let text = VerdictText {
        claim,
        verdict,
        by_condition: &verdicts,
        rows: &rows,
        both_origins: evidence.has_both_origins(),
    };
    Ok(JudgedClaim {
        id: claim.id.clone(),
        says: claim.says.clone(),
        quantity: claim.quantity.clone(),
        expectation: claim.expectation().text(claim.unit),
        threshold_from: claim.threshold_from.clone(),
        text: text.written(),
        verdict,
        rows,
        not_run,
    })
}

/// The condition of a quantity as claims write it.
fn place(measured: &MeasuredQuantity) -> String {
    match &measured.reference {
        Some(reference) if reference.run == measured.run => {
            format!("{} / {}", measured.condition, reference.condition)
        }
        _ => measured.condition.clone(),
    }
}

fn row(
    claims: &Claims,
    claim: &Claim,
    measured: &MeasuredQuantity,
    controls: &[ControlResult],
) -> Result<ClaimRow, ClaimsError> {
    if measured.unit != claim.unit {
        return Err(ClaimsError::Unit {
            run: measured.run.clone(),
            quantity: measured.quantity.clone(),
            found: measured.unit,
            claim: claim.id.clone(),
            expected: claim.unit,
        });
    }
    let too_few = measured.launches.filter(|launches| *launches < FEWEST_LAUNCHES);
    let mut reasons: Vec<Doubt> = too_few.into_iter().map(Doubt::TooFewLaunches).collect();
    reasons.extend(failed_gates(claims, claim, measured, controls));
    reasons.extend(measured.limits_hit.iter().cloned().map(Doubt::LimitHit));
    let verdict = if reasons.is_empty() {
        claim.expectation().judge(&measured.interval)
    } else {
        Verdict::Inconclusive
    };
    Ok(ClaimRow {
        run: measured.run.clone(),
        source: measured.source,
        launches: measured.launches,
        condition: place(measured),
        provenance: measured.provenance,
        unit: measured.unit,
        interval: measured.interval,
        without_flagged: measured.without_flagged,
        verdict,
        reasons,
    })
}

/// The controls that the claim asks for and that are missing or do not hold.
fn failed_gates(claims: &Claims, claim: &Claim, measured: &MeasuredQuantity, controls: &[ControlResult]) -> Vec<Doubt> {
    let own = (measured.run.as_str(), measured.condition.as_str());
    let reference = measured.reference.as_ref();
    let reference = reference.map(|reference| (reference.run.as_str(), reference.condition.as_str()));
    let gates: Vec<(&str, &str)> = match claim.gates {
        Gates::None => Vec::new(),
        Gates::Reference => reference.into_iter().collect(),
        Gates::All => reference.into_iter().chain([own]).collect(),
    };
    let mut doubts = Vec::new();
    for (run, condition) in gates {
        let place = if run == measured.run {
            condition.to_owned()
        } else {
            format!("{condition} of {run}")
        };
        for kind in ControlKind::ALL {
            let of_run: Vec<&ControlResult> = controls
                .iter()
                .filter(|control| control.kind == kind && control.condition == condition)
                // A reader's run may have the name of a recorded one.
                .filter(|control| control.run == run && control.source == measured.source)
                .collect();
            if of_run.is_empty() {
                doubts.push(Doubt::MissingControl {
                    kind,
                    place: place.clone(),
                });
            }
            for control in of_run {
                let margins = claims.margins(&control.server);
                let verdict = control.verdict(margins);
                if verdict != Verdict::Supported {
                    doubts.push(Doubt::FailedControl {
                        kind,
                        place: place.clone(),
                        interval: control.interval,
                        expectation: kind.expectation(margins),
                        verdict,
                    });
                }
            }
        }
    }
    doubts
}

/// The verdict of the rows of one condition: of the decisive rows, where they agree.
fn agreed(rows: &[&ClaimRow]) -> Verdict {
    let has = |verdict| rows.iter().any(|row| row.verdict == verdict);
    match (has(Verdict::Supported), has(Verdict::NotSupported)) {
        (true, false) => Verdict::Supported,
        (false, true) => Verdict::NotSupported,
        _ => Verdict::Inconclusive,
    }
}

/// The verdict over all conditions that take part.
fn overall(claim: &Claim, any_data: bool, verdicts: &[Verdict]) -> Verdict {
    let any = |wanted| verdicts.contains(&wanted);
    if !any_data {
        Verdict::NotRun
    } else if any(Verdict::NotSupported) {
        Verdict::NotSupported
    } else if any(Verdict::Inconclusive) || verdicts.len() < claim.at_least {
        Verdict::Inconclusive
    } else {
        Verdict::Supported
    }
}
