//! The reasons of verdicts as text, computed from the data.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::control::Misses;
use super::definition::Claim;
use super::expectation::Verdict;
use super::judged::{ClaimRow, JudgedRecommendation};
use super::provenance::RunOrigin;

/// The data from which the text of a claim is written.
pub(super) struct VerdictText<'a> {
    pub(super) claim: &'a Claim,
    pub(super) verdict: Verdict,
    pub(super) by_condition: &'a BTreeMap<&'a str, Verdict>,
    pub(super) rows: &'a [ClaimRow],
    /// True if the evidence has recorded runs and runs of the reader. Each value is then marked with its origin.
    pub(super) both_origins: bool,
}

impl VerdictText<'_> {
    /// The reason of the claim's verdict.
    pub(super) fn written(&self) -> String {
        let Self {
            claim, by_condition, ..
        } = self;
        if by_condition.is_empty() {
            return format!("no data: measure {}", claim.experiments.join(" or "));
        }
        let expected = claim.expectation().text(claim.unit);
        let conditions = by_condition
            .iter()
            .map(|(condition, verdict)| self.in_condition(condition, *verdict));
        let mut text = format!(
            "{} expected {expected}: {}",
            claim.quantity,
            conditions.collect::<Vec<_>>().join("; ")
        );
        if self.verdict == Verdict::Inconclusive && by_condition.len() < claim.at_least {
            _ = write!(
                text,
                "; data from {} conditions, {} needed",
                by_condition.len(),
                claim.at_least
            );
        }
        text
    }

    fn in_condition(&self, condition: &str, verdict: Verdict) -> String {
        let rows: Vec<&ClaimRow> = self.rows.iter().filter(|row| row.condition == condition).collect();
        let mut by_source: BTreeMap<Option<RunOrigin>, Vec<String>> = BTreeMap::new();
        for row in &rows {
            let source = row.source.filter(|_| self.both_origins);
            by_source.entry(source).or_default().push(value(row));
        }
        let sources = by_source.iter().map(|(source, values)| {
            let whose = source.map_or_else(String::new, |source| format!("{source} "));
            format!("{whose}{}", values.join(" and "))
        });
        let says = |verdict| rows.iter().any(|row| row.verdict == verdict);
        let disagree = says(Verdict::Supported) && says(Verdict::NotSupported);
        format!(
            "{condition} {verdict}: {}{}",
            sources.collect::<Vec<_>>().join(", "),
            if disagree { ", runs disagree" } else { "" }
        )
    }
}

fn value(row: &ClaimRow) -> String {
    let mut text = row.unit.interval(&row.interval);
    if let Some(without) = &row.without_flagged {
        _ = write!(text, " (without flagged launches {})", row.unit.interval(without));
    }
    for reason in &row.reasons {
        _ = write!(text, ", but {reason}");
    }
    text
}

/// All claims as text for a terminal.
#[must_use]
pub fn table(recommendations: &[JudgedRecommendation], misses: &[Misses]) -> String {
    let mut text = String::new();
    for recommendation in recommendations {
        _ = writeln!(text, "{}. {}", recommendation.number, recommendation.text);
        for claim in &recommendation.claims {
            _ = writeln!(text, "   {}: {}", claim.id, claim.verdict.to_string().to_uppercase());
            _ = writeln!(text, "      {}", claim.says);
            _ = writeln!(text, "      {}", claim.text);
            _ = writeln!(text, "      threshold: {}", claim.threshold_from);
            if let Some(where_measured) = claim.covered() {
                _ = writeln!(text, "      {where_measured}");
            }
        }
    }
    for misses in misses {
        _ = writeln!(
            text,
            "{}: {} of {} intervals over all runs left out the truth, {}, p = {:.3} against 5 %",
            misses.kind,
            misses.missed.successes,
            misses.missed.trials,
            misses.missed.percent(),
            misses.p_value
        );
    }
    text
}
