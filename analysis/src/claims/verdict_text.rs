//! The reasons of verdicts as text, computed from the data.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::control::Misses;
use super::expectation::Verdict;
use super::interval::IntervalScale;
use super::judged::{ClaimRow, JudgedClaim, JudgedRecommendation, MachineVerdict, OverMachines, RowRole};
use super::judged_rows::JudgedRows;

/// The width of the column of claims' names in a terminal.
const ID_WIDTH: usize = 22;
/// The width of the column of verdicts.
const VERDICT_WIDTH: usize = 46;

/// The data from which the text of a judgement is written.
pub(super) struct VerdictText<'a> {
    judged: &'a JudgedRows<'a>,
    machines: &'a [MachineVerdict],
}

impl<'a> VerdictText<'a> {
    /// The reason of a judgement's verdict.
    pub(super) fn of(judged: &'a JudgedRows<'a>, machines: &'a [MachineVerdict]) -> String {
        let text = VerdictText { judged, machines };
        if judged.of_role().next().is_none() {
            return match judged.role {
                RowRole::Primary if judged.planned.is_empty() => "the registered plan names no row".to_owned(),
                RowRole::Primary => "no run by the registered plan".to_owned(),
                RowRole::Exploratory => format!("no data: measure {}", judged.claim.experiments.join(" or ")),
            };
        }
        let mut by_machine: BTreeMap<&str, Vec<&ClaimRow>> = BTreeMap::new();
        for row in judged.of_role() {
            by_machine.entry(&row.machine).or_default().push(row);
        }
        let parts: Vec<String> = by_machine
            .iter()
            .map(|(machine, rows)| text.on(machine, rows))
            .collect();
        let claim = judged.claim;
        format!(
            "{} expected {}: {}",
            claim.quantity,
            claim.expectation().text(claim.unit),
            parts.join("; ")
        )
    }

    /// The values of one machine, by the verdicts of their rows.
    fn on(&self, machine: &str, rows: &[&ClaimRow]) -> String {
        let judged = self.machines.iter().find(|one| one.machine == machine);
        let mut by_verdict: BTreeMap<Verdict, Vec<String>> = BTreeMap::new();
        for row in rows {
            let source = row.source.filter(|_| self.judged.both_origins);
            let whose = source.map_or_else(String::new, |source| format!("{source} "));
            let value = format!("{whose}{} {}", row.place(), value(row));
            by_verdict.entry(row.verdict).or_default().push(value);
        }
        let several = by_verdict.len() > 1;
        let values = by_verdict.iter().map(|(verdict, values)| {
            let values = values.join(", ");
            if several {
                format!("{verdict} in {values}")
            } else {
                values
            }
        });
        let values = values.collect::<Vec<_>>().join("; ");
        let mut text = judged.map_or_else(
            || format!("{machine}, not judged: {values}"),
            |judged| format!("{machine}, {}: {values}", judged.verdict),
        );
        for missing in judged.iter().flat_map(|judged| &judged.missing) {
            _ = write!(text, "; missing: {missing}");
        }
        text
    }
}

fn value(row: &ClaimRow) -> String {
    let mut text = row.unit.interval(&row.interval);
    if let Some(total) = row.total.filter(|total| *total != row.interval) {
        let (low, high) = (row.unit.number(total.low), row.unit.number(total.high));
        _ = write!(text, ", total [{low}, {high}]");
    }
    if let Some(without) = &row.without_flagged {
        _ = write!(text, " (without flagged launches {})", row.unit.interval(without));
    }
    for reason in &row.reasons {
        _ = write!(text, ", but {reason}");
    }
    text
}

impl OverMachines {
    /// The summary as a sentence: `local-pod over 5 machines: …`.
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            place,
            unit,
            machines,
            mean,
            further,
            ..
        } = self;
        let tau = match self.scale {
            IntervalScale::Linear => format!("{}{}", unit.number(self.tau), unit.suffix()),
            IntervalScale::Log => format!("{:.2} (of logarithms)", self.tau),
            IntervalScale::Logit => format!("{:.2} (of log odds)", self.tau),
        };
        format!(
            "{place} over {machines} machines: mean {}, SD between machines \u{3c4} = {tau}, a further machine: {} to {}{}",
            unit.interval(mean),
            unit.number(further.low),
            unit.number(further.high),
            unit.suffix()
        )
    }
}

/// All claims as text for a terminal. The verdict column is of the registered plan; the exploratory column decides nothing.
#[must_use]
pub fn table(recommendations: &[JudgedRecommendation], misses: &[Misses]) -> String {
    let mut text = format!("   {:ID_WIDTH$}{:VERDICT_WIDTH$}exploratory\n", "claim", "verdict");
    for recommendation in recommendations {
        _ = writeln!(text, "{}. {}", recommendation.number, recommendation.text);
        for claim in &recommendation.claims {
            text += &lines(claim);
        }
    }
    for misses in misses {
        _ = writeln!(
            text,
            "{} on {}: {} of {} intervals over all runs left out the truth, {}, p = {:.3} against 5 %",
            misses.kind,
            misses.machine,
            misses.missed.successes,
            misses.missed.trials,
            misses.missed.percent(),
            misses.p_value
        );
    }
    text
}

/// One claim: its verdicts in columns, and below them the reasons.
fn lines(claim: &JudgedClaim) -> String {
    let mut text = format!(
        "   {:ID_WIDTH$}{:VERDICT_WIDTH$}{}\n",
        claim.id,
        claim.registered.shown(),
        claim.exploratory.shown()
    );
    _ = writeln!(text, "      {}", claim.says);
    for (role, judgement) in claim.judgements() {
        if claim.rows_of(role).next().is_none() && role == RowRole::Primary {
            continue;
        }
        let name = match role {
            RowRole::Primary => "verdict",
            RowRole::Exploratory => "exploratory",
        };
        _ = writeln!(text, "      {name}: {}", judgement.text);
        for over in &judgement.over_machines {
            _ = writeln!(text, "      {name}: {}", over.text());
        }
        for unstable in &judgement.unstable {
            _ = writeln!(text, "      {name}: {unstable}");
        }
    }
    _ = writeln!(text, "      threshold: {}", claim.threshold_from);
    if let Some(covered) = claim.covered() {
        _ = writeln!(text, "      {covered}");
    }
    text
}

impl JudgedClaim {
    /// The conditions with data and their provenance, and the conditions without; `None` where nothing was measured.
    #[must_use]
    pub fn covered(&self) -> Option<String> {
        if self.rows.is_empty() {
            return None;
        }
        let rows = self.rows.iter();
        let mut covered: Vec<String> = rows
            .map(|row| format!("{} ({})", row.condition, row.provenance))
            .collect();
        covered.sort();
        covered.dedup();
        let mut text = format!("from: {}", covered.join(", "));
        let not_run = |condition: &&String| self.exploratory.not_run.contains(*condition);
        let not_run: Vec<&str> = self
            .registered
            .not_run
            .iter()
            .filter(not_run)
            .map(String::as_str)
            .collect();
        if !not_run.is_empty() {
            _ = write!(text, "; not run: {}", not_run.join(", "));
        }
        Some(text)
    }
}
