//! Topology: the positions of client and servers.

use analysis::claims::MeasuredQuantity;
use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::{LatencyMetric, estimate};
use anyhow::Result;
use model::Location;

use super::condition_cell::{
    ConditionCell, DrawnValue, UNMODIFIED, above_zero, condition_cells, drawn_us, mde_us, overview,
};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let figure = compared(
        &cells,
        &recorded.experiment,
        "Where client and servers stand: the server's round trip and its 99th percentile, what the hook costs, and the \
         least cost that these launches would find (MDE). Round trips as geometric means over launches.",
        "",
        label,
    )?;
    Ok((figure, overview(&cells, label)?, Vec::new()))
}

fn label(cell: &ConditionCell<'_>) -> String {
    let condition = &cell.condition.condition;
    match cell.run.level("relay") {
        "" | "none" => condition.clone(),
        relay => format!("{condition}, relay: {relay}"),
    }
}

/// The geometric mean of times in ns with its interval, µs: a tail that differs tenfold between launches has no mean whose
/// interval is above zero.
fn geometric_us(times_ns: &[f64]) -> Option<DrawnValue> {
    let logs: Vec<f64> = times_ns.iter().map(|time_ns| (time_ns / 1e3).ln()).collect();
    let log = estimate(&logs).ok()?;
    let (low, high) = log.confidence_interval;
    Some((log.value.exp(), (low.exp(), high.exp())))
}

/// Round trips, the hook's cost and the MDE at every cell.
pub(super) fn compared(
    cells: &[ConditionCell<'_>],
    name: &str,
    caption: &str,
    x_title: &str,
    label: impl Fn(&ConditionCell<'_>) -> String,
) -> Result<Figure> {
    let series = |name: &str, of: &dyn Fn(&ConditionCell<'_>) -> Option<DrawnValue>| ResponseSeries {
        name: name.to_owned(),
        values: cells.iter().map(|cell| of(cell).and_then(above_zero)).collect(),
    };
    let rtt =
        |cell: &ConditionCell<'_>, location| geometric_us(&cell.per_launch(UNMODIFIED, LatencyMetric::Rtt, location));
    Ok(response(&Response {
        name: name.to_owned(),
        caption: caption.to_owned(),
        x_title: x_title.to_owned(),
        y_title: "time (µs), 95 % CI".to_owned(),
        log: true,
        line: None,
        levels: cells.iter().map(label).collect(),
        joined: true,
        series: vec![
            series("median RTT", &|cell| rtt(cell, Location::Median)),
            series("99th percentile", &|cell| rtt(cell, Location::P99)),
            series("hook's cost", &|cell| Some(drawn_us(cell.effect()?.primary()))),
            series("MDE", &|cell| mde_us(cell.a_a()?)),
        ],
    })?)
}
