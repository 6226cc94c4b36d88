//! The 2023 study's numbers, recomputed from its recordings.

use analysis::ssp2023::{self, Answer, Check, Dependence, HalvesRow, StudyRow};
use anyhow::Result;
use serde::Serialize;

use crate::load::StudyCondition;

/// The condition whose p value depends most on the cut.
const CUT_SENSITIVE: &str = "eks-nodes";

/// All that is recomputed.
#[derive(Clone, Debug, Serialize)]
pub struct StudyResults {
    /// One row per condition.
    pub rows: Vec<StudyRow>,
    /// Each number beside the expected one.
    pub checks: Vec<Check>,
    /// Each recording's halves tested against each other.
    pub halves: Vec<HalvesRow>,
    /// How dependent requests are.
    pub dependences: Vec<Dependence>,
    /// One condition at several warm-up cuts.
    pub cuts: Vec<StudyRow>,
    /// What all of it says of the hook.
    pub answers: Vec<Answer>,
}

impl StudyResults {
    /// Recomputes everything.
    ///
    /// # Errors
    /// When a recording is too short for its statistics.
    pub fn compute(recordings: &[StudyCondition]) -> Result<Self> {
        let cut = ssp2023::WARM_UP_ROWS;
        let mut results = Self {
            rows: vec![],
            checks: vec![],
            halves: vec![],
            dependences: vec![],
            cuts: vec![],
            answers: vec![],
        };
        for StudyCondition {
            condition,
            unmodified_ns,
            hook_ns,
            order,
        } in recordings
        {
            let row = ssp2023::recompute(condition, unmodified_ns, hook_ns, cut)?;
            results.checks.extend(ssp2023::check(&row)?);
            results
                .halves
                .push(ssp2023::a_a_by_halves(condition, "unmodified", unmodified_ns, cut)?);
            results
                .halves
                .push(ssp2023::a_a_by_halves(condition, "hook", hook_ns, cut)?);
            let dependence = ssp2023::dependence(condition, unmodified_ns, hook_ns, cut)?;
            results
                .answers
                .push(ssp2023::answer(&row, &dependence, &results.halves, *order));
            results.dependences.push(dependence);
            results.rows.push(row);
            if condition == CUT_SENSITIVE {
                results.cuts = ssp2023::cut_sensitivity(condition, unmodified_ns, hook_ns, &ssp2023::CUTS)?;
            }
        }
        Ok(results)
    }

    /// As tables for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let agreeing = self.checks.iter().filter(|check| check.agrees).count();
        format!(
            "{}\n{agreeing} of {} numbers agree with the known values to all digits\n\n{}\n{}",
            ssp2023::table(&self.rows),
            self.checks.len(),
            ssp2023::method_table(&self.halves, &self.dependences, &self.cuts),
            ssp2023::answers_text(&self.answers)
        )
    }
}
