//! Idle: the effect on the measurement of keeping processors out of idle states between requests.

use analysis::claims::{Interval, MeasuredQuantity, Unit};
use analysis::figures::Figure;
use anyhow::Result;

use super::condition_cell::{ConditionCell, condition_cells, overview};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use super::topology::compared;
use crate::table::or_dash;

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let figure = compared(
        &cells,
        &recorded.experiment,
        "Processors that are kept out of idle states between requests, and processors that are not.",
        "processors",
        label,
    )?;
    let mut table = overview(&cells, label)?;
    table.headings.push("A/A spread ratio".to_owned());
    for (cell, row) in cells.iter().zip(&mut table.rows) {
        let ratio = cell.reference(&cells).and_then(|reference| cell.spread_by(reference));
        row.push(or_dash(
            ratio.map(|(value, ends)| Unit::Ratio.interval(&Interval::new(value, ends))),
        ));
    }
    Ok((figure, table, Vec::new()))
}

fn label(cell: &ConditionCell<'_>) -> String {
    cell.run.level("processors").to_owned()
}
