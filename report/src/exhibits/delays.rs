//! Delays: the spread of launches, and the launches that find the hook's cost, by the size of a relay's delays.

use analysis::Estimate;
use analysis::claims::{Interval, MeasuredQuantity, Quantity, Unit};
use analysis::figures::{Figure, Response, ResponseSeries, response};
use anyhow::Result;

use super::condition_cell::{ConditionCell, DrawnValue, condition_cells, launches_for_effect, overview, spread_us};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use crate::table::or_dash;

/// Factor of the grid.
const FACTOR: &str = "relay";

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let mut relays: Vec<&str> = Vec::new();
    let mut conditions: Vec<&str> = Vec::new();
    for cell in &cells {
        let (relay, condition) = (cell.run.level(FACTOR), cell.condition.condition.as_str());
        if !relays.contains(&relay) {
            relays.push(relay);
        }
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    let at = |condition: &str, relay: &str| {
        let mut all = cells.iter();
        all.find(|cell| cell.condition.condition == condition && cell.run.level(FACTOR) == relay)
    };
    let series = conditions.iter().map(|condition| ResponseSeries {
        name: (*condition).to_owned(),
        values: relays
            .iter()
            .map(|relay| launches_needed(at(condition, relay)?, &cells))
            .collect(),
    });
    let figure = response(&Response {
        name: recorded.experiment.clone(),
        caption: "Number of launches that find the cost of the hook with a power of 80 % at the level of 5 %, by the size of the \
                  delays that a relay adds to each request. The cost is the cost without a relay in the same condition. The \
                  intervals follow from the 95 % intervals of the spread of the A/A difference."
            .to_owned(),
        x_title: "delays, as a part of the delays between two nodes of the study's cluster".to_owned(),
        y_title: "launches needed, 95 % CI".to_owned(),
        log: true,
        line: None,
        levels: relays.iter().map(|relay| (*relay).to_owned()).collect(),
        joined: true,
        series: series.collect(),
    })?;
    let mut table = overview(&cells, label)?;
    table
        .headings
        .extend(["A/A spread ratio", "launches for the cost without a relay"].map(str::to_owned));
    let mut measured = Vec::new();
    for (cell, row) in cells.iter().zip(&mut table.rows) {
        let ratio = cell.reference(&cells).and_then(|reference| {
            let ratio = cell.spread_by(reference)?;
            measured.push(cell.measured_beside(reference, Quantity::AASpreadWithDelays, ratio));
            Some(Unit::Ratio.interval(&Interval::new(ratio.0, ratio.1)))
        });
        let needed = launches_needed(cell, &cells);
        let needed = needed.map(|(value, (low, high))| format!("{value:.0} [{low:.0}, {high:.0}]"));
        row.extend([or_dash(ratio), or_dash(needed)]);
    }
    Ok((figure, table, measured))
}

fn label(cell: &ConditionCell<'_>) -> String {
    let condition = &cell.condition.condition;
    match cell.run.level(FACTOR) {
        "" | "none" => condition.clone(),
        relay => format!("{condition}, relay: {relay}"),
    }
}

/// The number of launches that finds the cost of the hook without a relay with the A/A spread of a cell, at the spread and at the
/// ends of its interval. `None` if one of them is above a million.
fn launches_needed(cell: &ConditionCell<'_>, cells: &[ConditionCell<'_>]) -> Option<DrawnValue> {
    let cost: &Estimate = cell.reference(cells).unwrap_or(cell).effect()?.primary();
    let (spread, (low, high)) = spread_us(cell.a_a()?)?;
    let needed = |spread_us: f64| launches_for_effect(cost.value, spread_us * 1e3).map(f64::from);
    Some((needed(spread)?, (needed(low)?, needed(high)?)))
}
