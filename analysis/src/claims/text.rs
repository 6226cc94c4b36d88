//! Verdicts in words, computed from what was found.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::control::Misses;
use super::definition::Claim;
use super::evidence::Source;
use super::expectation::Verdict;
use super::judge::{Judged, JudgedRecommendation, Row};

/// What a claim's text is written from.
pub(super) struct Text<'a> {
    pub(super) claim: &'a Claim,
    pub(super) verdict: Verdict,
    pub(super) by_condition: &'a BTreeMap<&'a str, Verdict>,
    pub(super) rows: &'a [Row],
    /// Whether there are recorded runs and the reader's own, so that each value has to say which it is.
    pub(super) both_sources: bool,
}

impl Text<'_> {
    /// Why the claim has its verdict.
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
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.condition == condition).collect();
        let mut by_source: BTreeMap<Option<Source>, Vec<String>> = BTreeMap::new();
        for row in &rows {
            let source = row.source.filter(|_| self.both_sources);
            by_source.entry(source).or_default().push(value(row));
        }
        let sources = by_source.iter().map(|(source, values)| {
            let whose = source.map_or_else(String::new, |source| format!("{} ", source.text()));
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

fn value(row: &Row) -> String {
    let mut text = row.unit.interval(&row.interval);
    if let Some(without) = &row.without_flagged {
        _ = write!(text, " (without flagged launches {})", row.unit.interval(without));
    }
    for reason in &row.reasons {
        _ = write!(text, ", but {reason}");
    }
    text
}

/// All claims, for a terminal.
#[must_use]
pub fn table(recommendations: &[JudgedRecommendation], misses: &[Misses]) -> String {
    let mut text = String::new();
    for recommendation in recommendations {
        _ = writeln!(text, "{}. {}", recommendation.number, recommendation.text);
        for claim in &recommendation.claims {
            _ = writeln!(text, "   {}: {}", claim.id, claim.verdict.text().to_uppercase());
            _ = writeln!(text, "      {}", claim.says);
            _ = writeln!(text, "      {}", claim.text);
            _ = writeln!(text, "      threshold: {}", claim.threshold_from);
            if let Some(where_measured) = claim.covered() {
                _ = writeln!(text, "      {where_measured}");
            }
        }
    }
    for misses in misses {
        let (low, high) = misses.missed.confidence_interval;
        _ = writeln!(
            text,
            "{}: {} of {} intervals over all runs left out the truth, {:.1} % [{:.1}, {:.1}], p = {:.3} against 5 %",
            misses.kind.text(),
            misses.missed.successes,
            misses.missed.trials,
            100.0 * misses.missed.value,
            100.0 * low,
            100.0 * high,
            misses.p_value
        );
    }
    text
}

impl Judged {
    /// Where there are data and what they are, and where there are none; `None` where nothing was measured.
    #[must_use]
    pub fn covered(&self) -> Option<String> {
        if self.rows.is_empty() {
            return None;
        }
        let mut covered: Vec<String> = self
            .rows
            .iter()
            .map(|row| format!("{} ({})", row.condition, row.provenance.text()))
            .collect();
        covered.sort();
        covered.dedup();
        let mut text = format!("from: {}", covered.join(", "));
        if !self.not_run.is_empty() {
            _ = write!(text, "; not run: {}", self.not_run.join(", "));
        }
        Some(text)
    }
}
