//! Positions: the cost of a search by the size of the payload and the position of the keyword.

use analysis::claims::{MeasuredQuantity, Quantity};
use analysis::difference_of_estimates;
use analysis::figures::{Figure, Response, ResponseSeries, response};
use anyhow::Result;

use super::condition_cell::{ConditionCell, Crossing, condition_cells, drawn_us, overview};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;

/// Factors of the grid.
const SIZE: &str = "payload";
const POSITION: &str = "keyword";
const BEGINNING: &str = "beginning";
const END: &str = "end";

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let crossing = Crossing::of(&cells, [SIZE, POSITION])?;
    let [sizes, positions] = crossing.levels();
    let at = |one: &str, other: &str| crossing.at(one, other);
    let series = positions.iter().map(|position| ResponseSeries {
        name: format!("keyword: {position}"),
        values: sizes
            .iter()
            .map(|size| Some(drawn_us(at(size, position)?.effect()?.primary())))
            .collect(),
    });
    let figure = response(&Response {
        name: recorded.experiment.clone(),
        caption: "The cost of a searching hook for a request, by the size of the payload and the position of the keyword. 95 % \
                  intervals over launches."
            .to_owned(),
        x_title: "payload".to_owned(),
        y_title: "cost of the hook (µs), 95 % CI".to_owned(),
        log: false,
        line: None,
        levels: sizes.iter().map(|size| (*size).to_owned()).collect(),
        joined: true,
        series: series.collect(),
    })?;
    let mut measured = Vec::new();
    // The position matters most in the largest payload.
    if let Some(size) = sizes.last()
        && let (Some(end), Some(beginning)) = (at(size, END), at(size, BEGINNING))
        && let (Some(one), Some(other)) = (end.effect(), beginning.effect())
    {
        let beyond = difference_of_estimates(one.primary(), other.primary())?;
        measured.push(end.measured_beside(beginning, Quantity::KeywordAtTheEnd, beyond));
    }
    Ok((figure, overview(&cells, label)?, measured))
}

fn label(cell: &ConditionCell<'_>) -> String {
    format!("{}, keyword: {}", cell.run.level(SIZE), cell.run.level(POSITION))
}
