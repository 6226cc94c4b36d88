//! Neighbours: the false positives of each design with noisy neighbours.

use std::collections::BTreeMap;

use analysis::claims::{MeasuredQuantity, Quantity};
use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::{Proportion, proportion};
use anyhow::Result;

use super::condition_cell::{ConditionCell, Crossing, condition_cells, overview};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use crate::reproduction::told_apart;
use crate::table::or_dash;

/// Factors of the grid.
const NEIGHBOUR: &str = "neighbour";
const DESIGN: &str = "design";
/// The level without a neighbour.
const NONE: &str = "none";
const SEQUENTIAL: &str = "sequential";
const INTERLEAVED: &str = "interleaved";

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let crossing = Crossing::of(&cells, [NEIGHBOUR, DESIGN])?;
    let [doses, designs] = crossing.levels();
    let at = |one: &str, other: &str| crossing.at(one, other);
    let series = designs.iter().map(|design| ResponseSeries {
        name: (*design).to_owned(),
        values: doses
            .iter()
            .map(|dose| at(dose, design).and_then(false_positives).map(|found| percent(&found)))
            .collect(),
    });
    let figure = response(&Response {
        name: recorded.experiment.clone(),
        caption:
            "Share of launches in which the 2023 study's t test over requests, at the level of 5 %, finds a difference between \
             two unmodified programs, by the neighbour that uses the servers' processor. Exact 95 % intervals."
                .to_owned(),
        x_title: "neighbour".to_owned(),
        y_title: "A/A false positives (%), 95 % CI".to_owned(),
        log: false,
        line: Some((5.0, "level of the test".to_owned())),
        levels: doses.iter().map(|dose| (*dose).to_owned()).collect(),
        joined: false,
        series: series.collect(),
    })?;
    let mut table = overview(&cells, label)?;
    table.headings.push("t test finds A/A".to_owned());
    for (cell, row) in cells.iter().zip(&mut table.rows) {
        let found = false_positives(cell);
        row.push(or_dash(found.map(|one| format!("{} of {}", one.successes, one.trials))));
    }
    let mut measured = Vec::new();
    let disturbed: Vec<Proportion> = cells
        .iter()
        .filter(|cell| cell.run.level(NEIGHBOUR) != NONE && cell.run.level(DESIGN) == SEQUENTIAL)
        .filter_map(false_positives)
        .collect();
    if let Some(cell) = cells.iter().find(|cell| cell.run.level(DESIGN) == SEQUENTIAL)
        && !disturbed.is_empty()
    {
        let sum = |of: fn(&Proportion) -> u64| disturbed.iter().map(of).sum();
        let all = proportion(sum(|one| one.successes), sum(|one| one.trials))?;
        let drawn = (all.value, all.confidence_interval);
        measured.push(MeasuredQuantity {
            cell: BTreeMap::from([(DESIGN.to_owned(), SEQUENTIAL.to_owned())]),
            ..cell.measured(Quantity::SequentialFalsePositives, drawn)
        });
    }
    // The claim is about the highest dose of each kind of neighbour. The name of a dose begins with its kind.
    if let Some(reference) = at(NONE, INTERLEAVED) {
        for dose in highest(&doses) {
            if let Some(cell) = at(dose, INTERLEAVED)
                && let Some(ratio) = cell.spread_by(reference)
            {
                measured.push(cell.measured_beside(reference, Quantity::AASpreadWithNeighbour, ratio));
            }
        }
    }
    Ok((figure, table, measured))
}

fn label(cell: &ConditionCell<'_>) -> String {
    format!("{}, {}", cell.run.level(NEIGHBOUR), cell.run.level(DESIGN))
}

/// The last dose of each kind.
fn highest<'a>(doses: &[&'a str]) -> Vec<&'a str> {
    let kind = |dose: &str| dose.split(' ').next().unwrap_or_default().to_owned();
    let mut found: Vec<&str> = Vec::new();
    for dose in doses.iter().filter(|dose| **dose != NONE) {
        found.retain(|other| kind(other) != kind(dose));
        found.push(dose);
    }
    found
}

/// The share of launches in which the test over requests finds a difference between the arms of the A/A contrast.
fn false_positives(cell: &ConditionCell<'_>) -> Option<Proportion> {
    let control = cell.condition.control()?;
    let launches = cell.run.samples.launches_in(&cell.condition.condition);
    told_apart(launches, &control.baseline, &control.arm)
}

fn percent(found: &Proportion) -> (f64, (f64, f64)) {
    let (low, high) = found.confidence_interval;
    (100.0 * found.value, (100.0 * low, 100.0 * high))
}
