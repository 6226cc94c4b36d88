//! Neighbours: the spread of launches and the false positives of each design with noisy neighbours, by their dose.

use analysis::claims::{Interval, MeasuredQuantity, Quantity, Unit};
use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::{LatencyMetric, Proportion};
use anyhow::{Context as _, Result};
use model::Location;

use super::condition_cell::{ConditionCell, Crossing, DrawnValue, UNMODIFIED, above_zero, condition_cells};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use crate::reproduction::told_apart;
use crate::table::{microseconds, or_dash};

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
    let reference = at(NONE, INTERLEAVED);
    // The spread is of the interleaved design. The other designs are compared by their false positives.
    let spreads = ResponseSeries {
        name: "A/A spread (% of the spread without a neighbour), interleaved".to_owned(),
        values: doses
            .iter()
            .map(|dose| match *dose {
                NONE => Some(percent((1.0, (1.0, 1.0)))),
                _ => Some(percent(at(dose, INTERLEAVED)?.spread_by(reference?)?)),
            })
            .collect(),
    };
    let false_positives_of = |design: &&str| ResponseSeries {
        name: format!("A/A false positives (%), {design}"),
        values: doses
            .iter()
            .map(|dose| {
                let found = at(dose, design).and_then(false_positives)?;
                above_zero(percent((found.value, found.confidence_interval)))
            })
            .collect(),
    };
    let mut series = vec![spreads];
    let shares = designs.iter().map(false_positives_of);
    series.extend(shares.filter(|one| one.values.iter().any(Option::is_some)));
    let figure = response(&Response {
        name: recorded.experiment.clone(),
        caption: "Two unmodified programs beside a neighbour, by the processor that the neighbour uses and its share of it: spread of \
                  their difference between launches (mean absolute deviation), and share of launches in which the 2023 study's t test over \
                  requests, at the level of 5 %, finds a difference. Exact 95 % intervals of shares; an interval that reaches zero \
                  cannot be drawn on a logarithmic axis, and the table has it."
            .to_owned(),
        x_title: "neighbour".to_owned(),
        y_title: "per cent, 95 % CI".to_owned(),
        log: true,
        line: Some((5.0, "level of the test, %".to_owned())),
        levels: doses.iter().map(|dose| (*dose).to_owned()).collect(),
        joined: false,
        series,
    })?;
    let mut table = Table::new([
        "",
        "launches",
        "median RTT, µs",
        "p99, µs",
        "A/A, µs",
        "SD, µs",
        "SD by none",
        "t test finds A/A",
    ]);
    let mut measured = Vec::new();
    for cell in &cells {
        let name = label(cell);
        let a_a = cell.a_a().with_context(|| format!("{name}: no A/A contrast"))?;
        let level = |location| {
            let level = cell.level(UNMODIFIED, LatencyMetric::Rtt, location);
            or_dash(level.map(|level| format!("{:.1}", level.value / 1e3)))
        };
        let (dose, design) = (cell.run.level(NEIGHBOUR), cell.run.level(DESIGN));
        let beside = at(NONE, design).filter(|_| dose != NONE);
        let ratio = beside.and_then(|beside| cell.spread_by(beside));
        let found = false_positives(cell);
        table.row([
            name,
            cell.condition.launches.to_string(),
            level(Location::Median),
            level(Location::P99),
            microseconds(a_a),
            format!("{:.3}", a_a.launch_sd / 1e3),
            or_dash(ratio.map(|(value, ends)| Unit::Ratio.interval(&Interval::new(value, ends)))),
            or_dash(found.as_ref().map(|one| format!("{} of {}", one.successes, one.trials))),
        ]);
        if dose == NONE {
            continue;
        }
        if let (INTERLEAVED, Some(reference), Some(ratio)) = (design, reference, ratio) {
            measured.push(cell.measured_beside(reference, Quantity::AASpreadWithNeighbour, ratio));
        }
        if let (SEQUENTIAL, Some(found)) = (design, found) {
            let drawn = (found.value, found.confidence_interval);
            measured.push(cell.measured(Quantity::SequentialFalsePositives, drawn));
        }
    }
    Ok((figure, table, measured))
}

fn label(cell: &ConditionCell<'_>) -> String {
    format!("{}, {}", cell.run.level(NEIGHBOUR), cell.run.level(DESIGN))
}

/// The share of launches in which the test over requests finds a difference between the arms of the A/A contrast.
fn false_positives(cell: &ConditionCell<'_>) -> Option<Proportion> {
    let control = cell.condition.control()?;
    let launches = cell.run.samples.launches_in(&cell.condition.condition);
    told_apart(launches, &control.baseline, &control.arm)
}

fn percent((value, (low, high)): DrawnValue) -> DrawnValue {
    (100.0 * value, (100.0 * low, 100.0 * high))
}
