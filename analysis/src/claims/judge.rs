//! Claims held against evidence.

use std::collections::BTreeMap;

use serde::Serialize;

use super::control::{Control, ControlKind};
use super::definition::{Claim, Claims, Gates};
use super::error::ClaimsError;
use super::evidence::{Evidence, Interval, Measured, Provenance, Source, Unit};
use super::expectation::Verdict;

/// With fewer launches an interval is shown and decides nothing, as in a run that only tries whether all works.
const FEWEST_LAUNCHES: usize = 10;

/// A recommendation with its judged claims.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedRecommendation {
    /// 1 to 10.
    pub number: u8,
    /// What the paper says.
    pub text: String,
    /// In the file's order.
    pub claims: Vec<Judged>,
}

/// A claim with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// The claim's name.
    pub id: String,
    /// In words.
    pub says: String,
    /// What is measured.
    pub quantity: String,
    /// Direction and threshold, in words.
    pub expectation: String,
    /// Where the threshold comes from.
    pub threshold_from: String,
    /// Of all conditions together.
    pub verdict: Verdict,
    /// Why, in words.
    pub text: String,
    /// One per run and condition.
    pub rows: Vec<Row>,
    /// Conditions without data.
    pub not_run: Vec<String>,
}

/// One quantity held against a claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The run.
    pub run: String,
    /// Whose run; absent for one that stands alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Launches behind it; `None` where launches are not the unit.
    pub launches: Option<usize>,
    /// Where; `A / B` for a comparison.
    pub condition: String,
    /// What the condition is.
    pub provenance: Provenance,
    /// Of the intervals.
    pub unit: Unit,
    /// The value with its 95 % interval.
    pub interval: Interval,
    /// Without flagged launches, where there are such.
    pub without_flagged: Option<Interval>,
    /// What this row alone says.
    pub verdict: Verdict,
    /// What keeps it from being believed: too few launches, failed controls, limits that were hit.
    pub reasons: Vec<String>,
}

impl Row {
    /// Whether there are enough launches for it to be heard.
    fn counts(&self) -> bool {
        self.launches.is_none_or(|launches| launches >= FEWEST_LAUNCHES)
    }
}

/// Judges every claim.
///
/// A row is decided by its interval ([`super::Expectation::judge`]), unless a control of its run failed or a limit was hit: then
/// it is inconclusive. One of fewer than ten launches is inconclusive too, and is not heard where there are others. A
/// condition is decided by its decisive rows where they agree. A claim is refuted where any condition
/// refutes it, and supported where all conditions with data support it and there are enough of them.
///
/// # Errors
/// When a quantity has another unit than its claim.
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

fn one(claims: &Claims, claim: &Claim, evidence: &Evidence) -> Result<Judged, ClaimsError> {
    let rows: Vec<Row> = evidence
        .measured
        .iter()
        .filter(|measured| measured.quantity == claim.quantity && claim.experiments.contains(&measured.experiment))
        .filter(|measured| claim.conditions.contains(&place(measured)))
        .map(|measured| row(claims, claim, measured, &evidence.controls))
        .collect::<Result<_, _>>()?;
    let mut by_condition: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
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
    let heard = |condition: &&str| rows.iter().any(|row| row.condition == **condition && row.counts());
    let heard = verdicts.iter().filter(|(condition, _)| heard(condition));
    let heard: Vec<Verdict> = heard.map(|(_, verdict)| *verdict).collect();
    let verdict = overall(claim, !rows.is_empty(), &heard);
    let text = super::text::Text {
        claim,
        verdict,
        by_condition: &verdicts,
        rows: &rows,
        both_sources: evidence.has_both_sources(),
    };
    Ok(Judged {
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

/// How claims name where a quantity was measured.
fn place(measured: &Measured) -> String {
    match &measured.reference {
        Some(reference) if reference.run == measured.run => {
            format!("{} / {}", measured.condition, reference.condition)
        }
        _ => measured.condition.clone(),
    }
}

fn row(claims: &Claims, claim: &Claim, measured: &Measured, controls: &[Control]) -> Result<Row, ClaimsError> {
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
    let too_few = too_few.map(|launches| format!("{launches} launches, fewer than {FEWEST_LAUNCHES}"));
    let mut reasons: Vec<String> = too_few.into_iter().collect();
    reasons.extend(failed_gates(claims, claim, measured, controls));
    reasons.extend(measured.limits_hit.iter().map(|limit| format!("limit hit: {limit}")));
    let verdict = if reasons.is_empty() {
        claim.expectation().judge(&measured.interval)
    } else {
        Verdict::Inconclusive
    };
    Ok(Row {
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

/// In words, the controls that should hold and do not.
fn failed_gates(claims: &Claims, claim: &Claim, measured: &Measured, controls: &[Control]) -> Vec<String> {
    let own = (measured.run.as_str(), measured.condition.as_str());
    let reference = measured.reference.as_ref();
    let reference = reference.map(|reference| (reference.run.as_str(), reference.condition.as_str()));
    let places: Vec<(&str, &str)> = match claim.gates {
        Gates::None => Vec::new(),
        Gates::Reference => reference.into_iter().collect(),
        Gates::All => reference.into_iter().chain([own]).collect(),
    };
    let mut reasons = Vec::new();
    for (run, condition) in places {
        let of = if run == measured.run {
            condition.to_owned()
        } else {
            format!("{condition} of {run}")
        };
        for kind in ControlKind::ALL {
            let of_run: Vec<&Control> = controls
                .iter()
                .filter(|control| control.kind == kind && control.condition == condition)
                // A reader's run may have the name of a recorded one.
                .filter(|control| control.run == run && control.source == measured.source)
                .collect();
            if of_run.is_empty() {
                reasons.push(format!("no {} in {of}", kind.text()));
            }
            for control in of_run {
                let margins = claims.margins(&control.server);
                let verdict = control.verdict(margins);
                if verdict != Verdict::Supported {
                    reasons.push(format!(
                        "{} in {of} is {}, expected {}: {verdict}",
                        kind.text(),
                        Unit::Ns.interval(&control.interval),
                        kind.expectation(margins).text(Unit::Ns),
                    ));
                }
            }
        }
    }
    reasons
}

/// What the rows of one condition say together: the decisive ones, where they agree.
fn agreed(rows: &[&Row]) -> Verdict {
    let has = |verdict| rows.iter().any(|row| row.verdict == verdict);
    match (has(Verdict::Supported), has(Verdict::NotSupported)) {
        (true, false) => Verdict::Supported,
        (false, true) => Verdict::NotSupported,
        _ => Verdict::Inconclusive,
    }
}

/// Of the conditions that are heard.
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
