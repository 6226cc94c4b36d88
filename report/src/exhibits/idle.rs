//! What it does to the instrument to keep processors from idle states between requests.

use analysis::claims::{Interval, MeasuredQuantity, Unit};
use analysis::figures::Figure;
use anyhow::Result;

use super::condition_cell::{ConditionCell, overview, spots};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use super::topology::compared;

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let spots = spots(recorded);
    let figure = compared(
        &spots,
        &recorded.experiment,
        "Processors kept from idle states between requests, or left as they are: round trip and 99th percentile of the \
         unmodified program, what the hook costs, and the least cost that these launches would find (MDE). Round trips as \
         geometric means over launches.",
        "processors",
        label,
    )?;
    let mut table = overview(&spots, label)?;
    table.headings.push("A/A spread ratio".to_owned());
    for (spot, row) in spots.iter().zip(&mut table.rows) {
        let ratio = spot.reference(&spots).and_then(|reference| spot.spread_by(reference));
        row.push(ratio.map_or_else(
            || "\u{2013}".to_owned(),
            |(value, ends)| Unit::Ratio.interval(&Interval::new(value, ends)),
        ));
    }
    Ok((figure, table, Vec::new()))
}

fn label(spot: &ConditionCell<'_>) -> String {
    spot.cell.level("processors").to_owned()
}
