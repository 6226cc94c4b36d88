//! The stability of verdicts: without the worst launch, and without each machine.

use super::definition::{Claim, Claims};
use super::error::ClaimsError;
use super::evidence::Evidence;
use super::expectation::Verdict;
use super::interval::{Interval, IntervalTail};
use super::judge::{CurrentPlan, one};
use super::judged::{JudgedClaim, JudgedRecommendation, Judgement, RowRole};

/// A quantity of the evidence, computed without one launch.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// The index of the quantity in [`Evidence::measured`].
    pub quantity: usize,
    /// The launch that is left out: `launch 17 of local-pod of r04/none_interleaved`.
    pub launch: String,
    /// The statistical interval of the other launches.
    pub interval: Interval,
    /// The tail of this interval.
    pub tail: IntervalTail,
    /// The total interval of the other launches.
    pub total: Option<Interval>,
}

/// Marks verdicts that depend on one launch or on one machine, and makes them inconclusive.
///
/// For each row, the worst launch is the launch whose removal moves the row furthest towards the other side: the p value of the
/// row on the verdict's side is then the largest. The claim is judged again with this row without this launch, all other rows
/// unchanged. It is also judged again without each machine, where there are several. A verdict that is not the same in each of
/// these judgements is unstable. The removal of a machine cannot change a verdict by the present rule, which needs the
/// agreement of all machines.
///
/// # Errors
/// The errors of [`super::judge`].
pub fn examine_stability(
    judged: &mut [JudgedRecommendation],
    claims: &Claims,
    plan: Option<&CurrentPlan>,
    evidence: &Evidence,
    left_out: &[LeftOut],
) -> Result<(), ClaimsError> {
    for judged in judged.iter_mut().flat_map(|recommendation| &mut recommendation.claims) {
        let Some(claim) = claims.claim(&judged.id) else {
            continue;
        };
        let examined = Examined {
            claim,
            plan,
            evidence,
            left_out,
        };
        for role in [RowRole::Primary, RowRole::Exploratory] {
            let reasons = examined.reasons(role, judged)?;
            let judgement = of_mut(judged, role);
            if !reasons.is_empty() {
                judgement.verdict = Verdict::Inconclusive;
                judgement.unstable = reasons;
            }
        }
    }
    Ok(())
}

const fn of(judged: &JudgedClaim, role: RowRole) -> &Judgement {
    match role {
        RowRole::Primary => &judged.registered,
        RowRole::Exploratory => &judged.exploratory,
    }
}

const fn of_mut(judged: &mut JudgedClaim, role: RowRole) -> &mut Judgement {
    match role {
        RowRole::Primary => &mut judged.registered,
        RowRole::Exploratory => &mut judged.exploratory,
    }
}

/// A claim with its evidence.
struct Examined<'a> {
    claim: &'a Claim,
    plan: Option<&'a CurrentPlan>,
    evidence: &'a Evidence,
    left_out: &'a [LeftOut],
}

impl Examined<'_> {
    /// The launches and machines without which the verdict of a role is another one.
    fn reasons(&self, role: RowRole, judged: &JudgedClaim) -> Result<Vec<String>, ClaimsError> {
        let Judgement { verdict, machines, .. } = of(judged, role);
        let mut found = Vec::new();
        if !matches!(verdict, Verdict::Supported | Verdict::NotSupported) {
            return Ok(found);
        }
        for row in judged.rows_of(role) {
            if let Some(worst) = self.worst(row.quantity_index, *verdict) {
                let again = self.again(&self.without(worst), role)?;
                if again != *verdict {
                    found.push(format!("without {}: {again}", worst.launch));
                }
            }
        }
        if machines.len() > 1 {
            for machine in machines {
                let mut evidence = self.evidence.clone();
                evidence.measured.retain(|measured| measured.machine != machine.machine);
                let again = self.again(&evidence, role)?;
                if again != *verdict {
                    found.push(format!("without {}: {again}", machine.machine));
                }
            }
        }
        Ok(found)
    }

    fn again(&self, evidence: &Evidence, role: RowRole) -> Result<Verdict, ClaimsError> {
        Ok(of(&one(self.claim, self.plan, evidence)?, role).verdict)
    }

    /// The launch of a row whose removal makes the p value on the verdict's side largest.
    fn worst(&self, quantity: usize, verdict: Verdict) -> Option<&LeftOut> {
        let p = |left_out: &LeftOut| {
            let total = left_out.total?;
            let p = self
                .claim
                .expectation()
                .p_values(&left_out.tail, &left_out.interval, &total);
            Some(if verdict == Verdict::Supported {
                p.supported
            } else {
                p.refuted
            })
        };
        let of_row = self.left_out.iter().filter(|left_out| left_out.quantity == quantity);
        // Without a total interval nothing is decided.
        of_row.max_by(|one, other| p(one).unwrap_or(1.0).total_cmp(&p(other).unwrap_or(1.0)))
    }

    fn without(&self, left_out: &LeftOut) -> Evidence {
        let mut evidence = self.evidence.clone();
        let measured = &mut evidence.measured[left_out.quantity];
        measured.interval = left_out.interval;
        measured.tail = left_out.tail;
        measured.total = left_out.total;
        evidence
    }
}
