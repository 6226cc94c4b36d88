//! Isolation: the cost of the hook in a tight loop, and its cost in servers.

use analysis::Estimate;
use analysis::claims::{MeasuredQuantity, Unit};
use analysis::figures::{Figure, Response, ResponseSeries, response};
use anyhow::Result;

use super::condition_cell::{ConditionCell, above_zero, condition_cells, drawn_us};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use crate::micro_prediction::MicroPrediction;
use crate::table::{microseconds, or_dash};

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let mut table = Table::new([
        "",
        "treatment",
        "calls per request",
        "predicted, µs",
        "observed, µs",
        "observed by predicted",
    ]);
    for cell in &cells {
        for row in &cell.condition.isolated {
            table.row([
                label(cell),
                row.contrast.clone(),
                format!("{:.2}", row.calls_per_request),
                microseconds(&row.predicted),
                microseconds(&row.observed),
                or_dash(row.ratio.as_ref().map(|ratio| Unit::Ratio.interval(ratio))),
            ]);
        }
    }
    let series = |name: &str, of: fn(&MicroPrediction) -> &Estimate| ResponseSeries {
        name: name.to_owned(),
        values: cells
            .iter()
            .map(|cell| above_zero(drawn_us(of(whole(cell)?))))
            .collect(),
    };
    let figure = response(&Response {
        name: recorded.experiment.clone(),
        caption: "The cost of the whole hook for a request. Predicted is the cost of a call in a tight loop times the calls of a \
                  request. Observed is the effect on the median wire time. 95 % intervals over launches. An interval that reaches \
                  zero cannot be drawn on a logarithmic axis; the table has it."
            .to_owned(),
        x_title: "server".to_owned(),
        y_title: "cost of the hook (µs), 95 % CI".to_owned(),
        log: true,
        line: None,
        levels: cells.iter().map(label).collect(),
        joined: false,
        series: vec![
            series("predicted by a tight loop", |row| &row.predicted),
            series("observed", |row| &row.observed),
        ],
    })?;
    Ok((figure, table, Vec::new()))
}

/// The prediction for the whole hook, which is the last effect.
fn whole<'a>(cell: &ConditionCell<'a>) -> Option<&'a MicroPrediction> {
    cell.condition.isolated.last()
}

fn label(cell: &ConditionCell<'_>) -> String {
    cell.run.level("server").to_owned()
}
