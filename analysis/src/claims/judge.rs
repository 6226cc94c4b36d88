//! The verdicts of claims.

use std::collections::BTreeSet;

use model::{PlannedClaim, RegisteredPlan, RowCombination};

use super::combination::of_machines;
use super::control::ControlResult;
use super::definition::{Claim, Claims};
use super::error::ClaimsError;
use super::evidence::{Evidence, MeasuredQuantity};
use super::expectation::{PValues, Verdict};
use super::judged::{ClaimRow, Doubt, FEWEST_LAUNCHES, JudgedClaim, JudgedRecommendation, Judgement, RowRole};
use super::judged_rows::JudgedRows;
use super::machines::over_machines;
use super::provenance::Provenance;
use super::verdict_text::VerdictText;

/// The registered plan by which evidence is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentPlan {
    /// SHA-256 of the plan's file, in hexadecimal.
    pub sha256: String,
    /// The plan.
    pub plan: RegisteredPlan,
}

impl CurrentPlan {
    fn claim(&self, id: &str) -> Option<&PlannedClaim> {
        self.plan.claims.iter().find(|claim| claim.id == id)
    }
}

/// Judges every claim by the primary rows of the plan, and apart from this by all other rows.
///
/// The total interval of a row decides the row ([`super::Expectation::judge`]). A row decides nothing if it has fewer than ten
/// launches, a control that the claim needs was not measured, or a limit was hit. The rows of one machine are combined as the
/// plan says ([`RowCombination`]); a claim that the plan does not name is combined by [`RowCombination::Every`]. A planned row that
/// a machine does not have decides nothing. A claim is supported if every machine supports it, and not supported if
/// every machine refutes it. Exploratory rows with fewer than ten launches take no part.
///
/// # Errors
/// When a quantity of the evidence has another unit than its claim.
pub fn judge(
    claims: &Claims,
    plan: Option<&CurrentPlan>,
    evidence: &Evidence,
) -> Result<Vec<JudgedRecommendation>, ClaimsError> {
    claims
        .recommendations
        .iter()
        .map(|recommendation| {
            let judged = recommendation.claims.iter().map(|claim| one(claim, plan, evidence));
            Ok(JudgedRecommendation {
                number: recommendation.number,
                text: recommendation.text.clone(),
                claims: judged.collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

/// Judges one claim.
///
/// # Errors
/// The errors of [`judge`].
pub(super) fn one(claim: &Claim, plan: Option<&CurrentPlan>, evidence: &Evidence) -> Result<JudgedClaim, ClaimsError> {
    let planned = plan.and_then(|plan| Some((plan.claim(&claim.id)?, plan.sha256.as_str())));
    let rows: Vec<ClaimRow> = of_claim(claim, evidence)
        .map(|(index, measured)| row(claim, planned, (index, measured), &evidence.controls))
        .collect::<Result<_, _>>()?;
    let combine = planned.map_or(RowCombination::Every, |(planned, _)| planned.combine);
    let both_origins = evidence.has_both_origins();
    let judgement = |role, planned_rows| {
        judgement(&JudgedRows {
            claim,
            combine,
            role,
            rows: &rows,
            planned: planned_rows,
            both_origins,
        })
    };
    let planned_rows = planned.map_or(&[][..], |(planned, _)| &planned.rows);
    Ok(JudgedClaim {
        id: claim.id.clone(),
        says: claim.says.clone(),
        quantity: claim.quantity.clone(),
        expectation: claim.expectation().text(claim.unit),
        threshold_from: claim.threshold_from.clone(),
        combine,
        registered: judgement(RowRole::Primary, planned_rows),
        exploratory: judgement(RowRole::Exploratory, &[]),
        rows,
    })
}

/// The quantities that the claim is about with their indices, in the order of the evidence.
fn of_claim<'a>(claim: &'a Claim, evidence: &'a Evidence) -> impl Iterator<Item = (usize, &'a MeasuredQuantity)> {
    let measured = evidence.measured.iter().enumerate();
    measured
        .filter(|(_, measured)| measured.quantity == claim.quantity && claim.experiments.contains(&measured.experiment))
        .filter(|(_, measured)| claim.conditions.contains(&measured.place()))
}

fn row(
    claim: &Claim,
    planned: Option<(&PlannedClaim, &str)>,
    (index, measured): (usize, &MeasuredQuantity),
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
    reasons.extend(missing_controls(claim, measured, controls));
    if measured.total.is_none() {
        reasons.push(Doubt::NoTotalInterval);
    }
    reasons.extend(measured.limits_hit.iter().cloned().map(Doubt::LimitHit));
    let mut row = ClaimRow {
        quantity_index: index,
        role: RowRole::Exploratory,
        run: measured.run.clone(),
        source: measured.source,
        machine: measured.machine.clone(),
        plan_sha256: measured.plan_sha256.clone(),
        cell: measured.cell.clone(),
        parameters: measured.parameters.clone(),
        launches: measured.launches,
        condition: measured.place(),
        reference: measured.reference.clone(),
        provenance: measured.provenance,
        unit: measured.unit,
        interval: measured.interval,
        total: measured.total,
        tail: measured.tail,
        without_flagged: measured.without_flagged,
        p: PValues::UNDECIDED,
        verdict: Verdict::Inconclusive,
        reasons,
    };
    row.decide(claim);
    if let Some((planned, sha256)) = planned
        && measured.tree_clean
        && measured.plan_sha256.as_deref() == Some(sha256)
        && planned.rows.iter().any(|planned| row.is(planned))
    {
        row.role = RowRole::Primary;
    }
    Ok(row)
}

impl ClaimRow {
    /// Computes p values and verdict from the intervals.
    fn decide(&mut self, claim: &Claim) {
        let total = self.total.filter(|_| self.reasons.is_empty());
        let expectation = claim.expectation();
        self.p = total.map_or(PValues::UNDECIDED, |total| {
            expectation.p_values(&self.tail, &self.interval, &total)
        });
        self.verdict = total.map_or(Verdict::Inconclusive, |total| expectation.judge(&total));
    }
}

/// The controls that the claim needs and that were not measured, in the quantity's cell and in the cell that it is compared with.
fn missing_controls(claim: &Claim, measured: &MeasuredQuantity, controls: &[ControlResult]) -> Vec<Doubt> {
    let own = (measured.run.as_str(), measured.condition.as_str());
    let reference = measured.reference.as_ref();
    let reference = reference.map(|reference| (reference.run.as_str(), reference.condition.as_str()));
    let mut doubts = Vec::new();
    for (run, condition) in reference.into_iter().chain([own]) {
        let place = if run == measured.run {
            condition.to_owned()
        } else {
            format!("{condition} of {run}")
        };
        for &kind in claim.controls.kinds() {
            let is_this = |control: &ControlResult| control.kind == kind && control.condition == condition;
            // A reader's run, or a run of another machine, may have the name of this one.
            let is_here = |control: &ControlResult| {
                control.run == run && control.source == measured.source && control.machine == measured.machine
            };
            if !controls.iter().any(|control| is_this(control) && is_here(control)) {
                doubts.push(Doubt::MissingControl {
                    kind,
                    place: place.clone(),
                });
            }
        }
    }
    doubts
}

fn judgement(judged: &JudgedRows<'_>) -> Judgement {
    let machines = judged.machines();
    let verdict = if machines.is_empty() && judged.of_role().next().is_some() {
        // All rows have too few launches.
        Verdict::Inconclusive
    } else {
        of_machines(machines.iter().map(|one| one.verdict))
    };
    let covered: BTreeSet<&str> = judged.of_role().map(|row| row.condition.as_str()).collect();
    let emulated = |row: &ClaimRow| row.provenance == Provenance::Emulated;
    let conditions = judged.claim.conditions.iter();
    Judgement {
        text: VerdictText::of(judged, &machines),
        verdict,
        machines,
        emulated_only: judged.of_role().next().is_some() && judged.of_role().all(emulated),
        not_run: conditions
            .filter(|condition| !covered.contains(condition.as_str()))
            .cloned()
            .collect(),
        over_machines: over_machines(judged.of_role()),
        unstable: Vec::new(),
    }
}
