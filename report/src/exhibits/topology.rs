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
        "Positions of client and servers.",
        "",
        label,
    )?;
    Ok((figure, overview(&cells, label)?, Vec::new()))
}

fn label(cell: &ConditionCell<'_>) -> String {
    cell.condition.condition.clone()
}

/// The geometric mean of times in ns with its interval, µs: a tail that differs tenfold between launches has no mean whose
/// interval is above zero.
fn geometric_us(times_ns: &[f64]) -> Option<DrawnValue> {
    let logs: Vec<f64> = times_ns.iter().map(|time_ns| (time_ns / 1e3).ln()).collect();
    let log = estimate(&logs).ok()?;
    let (low, high) = log.confidence_interval;
    Some((log.value.exp(), (low.exp(), high.exp())))
}

/// The quantities that [`compared`] draws, as the end of its caption.
const SHOWN: &str = "Shown are the median round trip of the unmodified program, its 99th percentile, the cost of the hook, and \
                     the smallest cost that these launches can detect (MDE). Round trips are geometric means over launches.";

/// The round trips, the cost of the hook and the MDE of every cell. The caption begins with `subject`.
pub(super) fn compared(
    cells: &[ConditionCell<'_>],
    name: &str,
    subject: &str,
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
        caption: format!("{subject} {SHOWN}"),
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
