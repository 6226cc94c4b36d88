//! The 2023 study's numbers, recomputed from its recordings.

use analysis::ssp2023::{self, Check, ConditionRecordings, Dependence, HalvesRow, SdRatio, StudyAnswer, StudyRow};
use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;

use samples::StudyRecording;

/// The condition whose p value depends most on the cut.
const CUT_SENSITIVE: &str = "eks-nodes";

/// The recomputed numbers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StudyResults {
    /// One row per condition.
    pub rows: Vec<StudyRow>,
    /// Each recomputed number with the number that is expected.
    pub checks: Vec<Check>,
    /// The test of one half of each recording against its other half.
    pub halves: Vec<HalvesRow>,
    /// The dependence between requests.
    pub dependences: Vec<Dependence>,
    /// The statistics of one condition for several warm-up cuts.
    pub cuts: Vec<StudyRow>,
    /// The answer of each condition to the question whether the hook makes a difference.
    pub answers: Vec<StudyAnswer>,
    /// The standard deviation of the requests of each condition, divided by that of each other condition.
    pub sd_ratios: Vec<SdRatio>,
}

impl StudyResults {
    /// Recomputes all numbers.
    ///
    /// # Errors
    /// When a recording is too short for its statistics.
    pub fn compute(recordings: &[StudyRecording]) -> Result<Self> {
        let conditions: Vec<Self> = recordings.par_iter().map(Self::of_condition).collect::<Result<_>>()?;
        let mut results = Self::default();
        for condition in conditions {
            results.rows.extend(condition.rows);
            results.checks.extend(condition.checks);
            results.halves.extend(condition.halves);
            results.dependences.extend(condition.dependences);
            results.cuts.extend(condition.cuts);
            results.answers.extend(condition.answers);
        }
        let all: Vec<ConditionRecordings<'_>> = recordings
            .iter()
            .map(|one| ConditionRecordings {
                condition: &one.condition,
                unmodified_ns: &one.unmodified_ns,
                hook_ns: &one.hook_ns,
            })
            .collect();
        results.sd_ratios = ssp2023::sd_ratios(&all, ssp2023::WARM_UP_ROWS)?;
        Ok(results)
    }

    fn of_condition(recordings: &StudyRecording) -> Result<Self> {
        let cut = ssp2023::WARM_UP_ROWS;
        let StudyRecording {
            condition,
            unmodified_ns,
            hook_ns,
            order,
        } = recordings;
        let row = ssp2023::recompute(condition, unmodified_ns, hook_ns, cut)?;
        let dependence = ssp2023::dependence(condition, unmodified_ns, hook_ns, cut)?;
        let halves = vec![
            ssp2023::a_a_by_halves(condition, "unmodified", unmodified_ns, cut)?,
            ssp2023::a_a_by_halves(condition, "hook", hook_ns, cut)?,
        ];
        Ok(Self {
            answers: vec![ssp2023::answer(&row, &dependence, &halves, *order)],
            sd_ratios: Vec::new(),
            checks: ssp2023::check(&row)?,
            rows: vec![row],
            halves,
            dependences: vec![dependence],
            cuts: if condition == CUT_SENSITIVE {
                ssp2023::cut_sensitivity(condition, unmodified_ns, hook_ns, &ssp2023::CUTS)?
            } else {
                Vec::new()
            },
        })
    }

    /// The numbers as tables for a terminal.
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
