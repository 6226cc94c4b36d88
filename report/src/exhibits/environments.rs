//! r10: the hook's cost over environments, servers, styles of calling and the hook's modes.

use std::collections::BTreeMap;

use analysis::claims::{MeasuredQuantity, Provenance, Quantity};
use analysis::figures::{Figure, Forest, ForestRow, forest};
use analysis::{Estimate, RandomEffects, i_squared_interval, random_effects};
use anyhow::{Context as _, Result};

use super::condition_cell::{ConditionCell, spots};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use crate::evidence::excess;
use crate::results::Effect;
use crate::secondary_estimates::p_text;
use crate::table::{microseconds, signed};
use model::ContrastRole;

/// The claim's name for all cells together.
const ALL: &str = "all cells";
/// Of the test that environments do not differ.
const LEVEL: f64 = 0.05;

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let spots = spots(recorded);
    let modes = modes(&spots);
    let whole = modes.last().context("the experiment has no effect")?;
    let all = random_effects(&whole.pairs(&spots, |_| true))?;
    let differences = differences(&spots, &modes)?;
    let columns: Vec<&Column> = modes.iter().chain(&differences).collect();
    let mut table = table(&spots, &columns);
    if differences.is_empty() {
        let alone =
            "Only one mode of the hook was measured, so that nothing can be said of modes that differ by environment.";
        table.notes.push(alone.to_owned());
    }
    table
        .notes
        .extend(differences.iter().filter_map(|column| interaction(column, &spots)));
    let figure = forest(&Forest {
        name: recorded.experiment.clone(),
        caption:
            "What the hook costs in each environment and server, and over all of them: the mean of a random-effects \
                  summary with its interval, and where a further environment's effect lies with 95 %."
                .to_owned(),
        x_title: "cost of the hook (µs), 95 % CI".to_owned(),
        x_limits: None,
        rows: rows(&spots, whole, &all),
    })?;
    let heterogeneity = i_squared_interval(&whole.pairs(&spots, |_| true))?;
    let measured = spots.first().map(|spot| MeasuredQuantity {
        condition: ALL.to_owned(),
        provenance: Provenance::of(&spot.condition.condition),
        ..spot.measured(Quantity::Heterogeneity, (all.i_squared, heterogeneity))
    });
    Ok((figure, table, measured.into_iter().collect()))
}

/// What a mode of the hook costs, or by how much two modes differ, in each spot.
struct Column {
    name: String,
    estimates: Vec<Option<Estimate>>,
}

impl Column {
    /// Estimates and their standard errors, of some of the spots.
    fn pairs(&self, spots: &[ConditionCell<'_>], among: impl Fn(&ConditionCell<'_>) -> bool) -> Vec<(f64, f64)> {
        let known = spots.iter().zip(&self.estimates).filter(|(spot, _)| among(spot));
        let known = known.filter_map(|(_, estimate)| estimate.as_ref());
        known
            .map(|estimate| (estimate.value, estimate.standard_error()))
            .collect()
    }
}

fn effects<'a>(spot: &ConditionCell<'a>) -> impl Iterator<Item = &'a Effect> {
    let effects = spot.condition.effects.iter();
    effects.filter(|effect| effect.role == ContrastRole::Effect)
}

/// The effects of the first spot in all spots; the last is by convention all of the hook.
fn modes(spots: &[ConditionCell<'_>]) -> Vec<Column> {
    let first = spots.first().into_iter().flat_map(effects);
    let column = |mode: &Effect| Column {
        name: mode.name.clone(),
        estimates: spots
            .iter()
            .map(|spot| named(spot, &mode.name).map(|effect| *effect.primary()))
            .collect(),
    };
    first.map(column).collect()
}

fn named<'a>(spot: &ConditionCell<'a>, name: &str) -> Option<&'a Effect> {
    effects(spot).find(|effect| effect.name == name)
}

/// By how much all of the hook exceeds each other mode, within launches: what both share is no part of the interval.
fn differences(spots: &[ConditionCell<'_>], modes: &[Column]) -> Result<Vec<Column>> {
    let Some((whole, others)) = modes.split_last() else {
        return Ok(Vec::new());
    };
    let column = |other: &Column| {
        let within = |spot: &ConditionCell<'_>| match (named(spot, &whole.name), named(spot, &other.name)) {
            (Some(one), Some(other)) => excess(spot.condition, &spot.cell.samples, one, other),
            _ => Ok(None),
        };
        Ok(Column {
            name: format!("{} less {}", whole.name, other.name),
            estimates: spots.iter().map(within).collect::<Result<_>>()?,
        })
    };
    others.iter().map(column).collect()
}

fn table(spots: &[ConditionCell<'_>], columns: &[&Column]) -> Table {
    let mut table = Table::new([""]);
    table
        .headings
        .extend(columns.iter().map(|column| format!("{}, µs", column.name)));
    let dash = || "\u{2013}".to_owned();
    for (index, spot) in spots.iter().enumerate() {
        let mut row = vec![format!("{}, {}", server(spot), spot.condition.condition)];
        let estimates = columns.iter().map(|column| column.estimates[index].as_ref());
        row.extend(estimates.map(|estimate| estimate.map_or_else(dash, microseconds)));
        table.row(row);
    }
    // A mode that costs the same in all launches of an environment has no summary.
    let pairs: Vec<Vec<(f64, f64)>> = columns.iter().map(|column| column.pairs(spots, |_| true)).collect();
    let summaries: Vec<Option<RandomEffects>> = pairs.iter().map(|pairs| random_effects(pairs).ok()).collect();
    let mut summary = |name: &str, text: &dyn Fn(&RandomEffects) -> String| {
        let mut row = vec![name.to_owned()];
        row.extend(summaries.iter().map(|all| all.as_ref().map_or_else(dash, text)));
        table.row(row);
    };
    summary("mean over all cells", &|all| {
        let (low, high) = all.confidence_interval;
        format!("{} [{}, {}]", signed(all.value), signed(low), signed(high))
    });
    summary("a further environment", &|all| {
        let text = |(low, high)| format!("{} to {}", signed(low), signed(high));
        all.prediction_interval.map_or_else(dash, text)
    });
    summary("SD between environments (τ), µs", &|all| {
        format!("{:.2}", all.tau_squared.sqrt() / 1e3)
    });
    summary("I²", &|all| percent(all.i_squared));
    summary("p of equal environments (Q test)", &|all| p_text(all.q_p_value()));
    let mut conditions: BTreeMap<String, u32> = BTreeMap::new();
    for spot in spots {
        *conditions.entry(server(spot)).or_default() += 1;
    }
    for name in conditions.iter().filter(|(_, count)| **count > 1).map(|(name, _)| name) {
        let mut row = vec![format!("I² of {name} over its conditions")];
        row.extend(columns.iter().map(|column| {
            let within = random_effects(&column.pairs(spots, |spot| server(spot) == *name));
            within.map_or_else(|_| dash(), |within| percent(within.i_squared))
        }));
        table.row(row);
    }
    table
}

/// Whether the difference of two modes depends on the environment.
fn interaction(column: &Column, spots: &[ConditionCell<'_>]) -> Option<String> {
    let all = random_effects(&column.pairs(spots, |_| true)).ok()?;
    let p = all.q_p_value();
    let finding = if p < LEVEL {
        "depends on the environment"
    } else {
        "cannot be told to depend on the environment"
    };
    Some(format!(
        "The difference \"{}\" {finding}: over {} environments it varies by a standard deviation of {:.2} µs beyond what \
         launches differ by (I² {}, Q test p = {}).",
        column.name,
        all.conditions,
        all.tau_squared.sqrt() / 1e3,
        percent(all.i_squared),
        p_text(p)
    ))
}

fn server(spot: &ConditionCell<'_>) -> String {
    spot.cell.level("server").to_owned()
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// What is drawn: all of the hook.
fn rows(spots: &[ConditionCell<'_>], whole: &Column, all: &RandomEffects) -> Vec<ForestRow> {
    let known = spots.iter().zip(&whole.estimates);
    let known = known.filter_map(|(spot, estimate)| Some((spot, estimate.as_ref()?)));
    let mut rows: Vec<ForestRow> = known
        .map(|(spot, estimate)| {
            let label = &spot.condition.condition;
            row(label, &server(spot), estimate.value, estimate.confidence_interval)
        })
        .collect();
    rows.push(row("mean", ALL, all.value, all.confidence_interval));
    rows.extend(
        all.prediction_interval
            .map(|interval| row("a further environment", ALL, all.value, interval)),
    );
    rows
}

fn row(label: &str, group: &str, value: f64, (low, high): (f64, f64)) -> ForestRow {
    ForestRow {
        label: label.to_owned(),
        group: Some(group.to_owned()),
        value: value / 1e3,
        confidence_interval: (low / 1e3, high / 1e3),
    }
}
