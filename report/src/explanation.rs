//! The trace of a verdict to its rows: runs, machines, intervals, controls, figures, and the commands that show them.

use std::fmt::Write as _;
use std::path::Path;

use analysis::claims::{ClaimRow, ControlResult, CurrentPlan, JudgedClaim, Unit};
use anyhow::{Context as _, Result};
use model::PlannedClaim;

use crate::claims::{GatheredEvidence, JudgedClaims};
use crate::table::or_dash;

/// The folder with the committed figures.
const FIGURES: &str = "paper/results/figures";

/// Explains the verdicts of one claim.
///
/// # Errors
/// When no claim has this id; the error lists all ids.
pub fn explanation(id: &str, judged: &JudgedClaims, plan: &CurrentPlan, gathered: &GatheredEvidence) -> Result<String> {
    let all = || judged.recommendations.iter().flat_map(|one| &one.claims);
    let claim = all().find(|claim| claim.id == id).with_context(|| {
        let ids: Vec<&str> = all().map(|claim| claim.id.as_str()).collect();
        format!("there is no claim `{id}`; expected one of {}", ids.join(", "))
    })?;
    let explained = Explained { claim, plan, gathered };
    Ok(explained.text())
}

struct Explained<'a> {
    claim: &'a JudgedClaim,
    plan: &'a CurrentPlan,
    gathered: &'a GatheredEvidence,
}

impl Explained<'_> {
    fn text(&self) -> String {
        let claim = self.claim;
        let mut text = format!("{}: {}\n", claim.id, claim.says);
        _ = writeln!(text, "quantity: {}, expected {}", claim.quantity, claim.expectation);
        _ = writeln!(text, "threshold: {}", claim.threshold_from);
        _ = writeln!(text, "verdict: {}", claim.registered.shown());
        _ = writeln!(text, "exploratory: {}", claim.exploratory.shown());
        _ = writeln!(text, "registered plan: SHA-256 {}", self.plan.sha256);
        match self.plan.plan.claims.iter().find(|planned| planned.id == claim.id) {
            Some(planned) => text += &self.planned(planned),
            None => text += "the plan has no row of this claim; exploratory rows are combined by `every`\n",
        }
        for (role, judgement) in claim.judgements() {
            for machine in &judgement.machines {
                _ = writeln!(text, "{role} rows of {}: {}", machine.machine, machine.verdict);
                for missing in &machine.missing {
                    _ = writeln!(text, "  missing: {missing}");
                }
            }
            for over in &judgement.over_machines {
                _ = writeln!(text, "{role}: {}", over.text());
            }
            for unstable in &judgement.unstable {
                _ = writeln!(text, "{role}: not stable: {unstable}");
            }
            if !judgement.not_run.is_empty() {
                _ = writeln!(text, "{role}: not run: {}", judgement.not_run.join(", "));
            }
        }
        for row in &claim.rows {
            text.push('\n');
            text += &self.row(row);
        }
        text
    }

    /// The rows that the plan names.
    fn planned(&self, planned: &PlannedClaim) -> String {
        let unit = self.claim.rows.first().map(|row| row.unit);
        let least = unit.map_or_else(
            || planned.least_effect.to_string(),
            |unit| format!("{}{}", unit.number(planned.least_effect), unit.suffix()),
        );
        let mut text = format!(
            "combination: {}; least effect of interest: {least} ({})\n",
            planned.combine, planned.least_effect_from
        );
        for row in &planned.rows {
            let levels: Vec<String> = row
                .cell
                .iter()
                .chain(&row.parameters)
                .map(|(name, value)| format!("; {name}: {value}"))
                .collect();
            _ = writeln!(text, "primary row: {} in {}{}", row.condition, row.run, levels.concat());
        }
        text
    }

    /// One row with the run, the intervals, the controls, the figure and the commands.
    fn row(&self, row: &ClaimRow) -> String {
        let mut text = format!("{} row: {}: {}\n", row.role, row.place(), row.verdict);
        let launches = row.launches.map(|launches| format!(", {launches} launches"));
        _ = writeln!(
            text,
            "  run {} on {}{}",
            row.run,
            row.machine,
            launches.unwrap_or_default()
        );
        let plan = row.plan_sha256.as_deref();
        _ = writeln!(text, "  plan: {}", plan.unwrap_or("no plan asked for the run"));
        if let Some(reference) = &row.reference {
            _ = writeln!(text, "  compared with {} of {}", reference.condition, reference.run);
        }
        _ = writeln!(text, "  statistical interval: {}", row.unit.interval(&row.interval));
        let total = row.total.map(|total| row.unit.interval(&total));
        _ = writeln!(text, "  total interval: {}", or_dash(total));
        if let Some(without) = &row.without_flagged {
            _ = writeln!(text, "  without flagged launches: {}", row.unit.interval(without));
        }
        _ = writeln!(
            text,
            "  one-sided p: {:.2e} supported, {:.2e} refuted; each is compared with 0.025 after the combination's correction",
            row.p.supported, row.p.refuted
        );
        for reason in &row.reasons {
            _ = writeln!(text, "  decides nothing: {reason}");
        }
        for control in self.controls(row) {
            _ = writeln!(
                text,
                "  {} in {} of {}: {}, error at most {}{}",
                control.kind,
                control.condition,
                control.run,
                Unit::Ns.interval(&control.interval),
                Unit::Ns.number(control.bound_ns),
                Unit::Ns.suffix()
            );
        }
        text += &self.shown_by(row);
        text
    }

    /// The controls of the row's cell, and of the cell that it is compared with.
    fn controls<'a>(&'a self, row: &'a ClaimRow) -> impl Iterator<Item = &'a ControlResult> {
        let own = row.condition.split(" / ").next().unwrap_or_default();
        let beside = row.reference.as_ref();
        let beside = beside.map(|reference| (reference.run.as_str(), reference.condition.as_str()));
        let cells: Vec<(&str, &str)> = [(row.run.as_str(), own)].into_iter().chain(beside).collect();
        self.gathered.evidence.controls.iter().filter(move |control| {
            control.machine == row.machine
                && control.source == row.source
                && cells.contains(&(control.run.as_str(), control.condition.as_str()))
        })
    }

    /// The folder of the run with the commands that print its numbers and draw its figure, and the committed figure.
    fn shown_by(&self, row: &ClaimRow) -> String {
        let key = (row.source, row.machine.clone(), row.run_name().to_owned());
        let Some(folder) = self.gathered.folders.get(&key) else {
            return "  from the study's recordings: cargo xtask import ssp2023\n".to_owned();
        };
        let mut text = format!("  folder: {}\n", folder.display());
        _ = writeln!(
            text,
            "  figure and table: cargo xtask figures --run {}",
            folder.display()
        );
        let figure = if row.run_name() == "overhead" {
            "effects"
        } else {
            row.run_name()
        };
        let figure = Path::new(FIGURES).join(format!("{figure}.svg"));
        if figure.exists() {
            _ = writeln!(text, "  committed figure: {}", figure.display());
        }
        text
    }
}
