//! r01 and r02: where client and servers stand.

use analysis::claims::MeasuredQuantity;
use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::{LatencyMetric, estimate};
use anyhow::Result;
use model::Location;

use super::condition_cell::{ConditionCell, Drawn, UNMODIFIED, above_zero, drawn_us, mde_us, overview, spots};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let spots = spots(recorded);
    let figure = compared(
        &spots,
        &recorded.experiment,
        "Where client and servers stand: the server's round trip and its 99th percentile, what the hook costs, and the \
         least cost that these launches would find (MDE). Round trips as geometric means over launches.",
        "",
        label,
    )?;
    Ok((figure, overview(&spots, label)?, Vec::new()))
}

fn label(spot: &ConditionCell<'_>) -> String {
    let condition = &spot.condition.condition;
    match spot.cell.level("relay") {
        "" | "none" => condition.clone(),
        relay => format!("{condition}, relay: {relay}"),
    }
}

/// The geometric mean of times in ns with its interval, µs: a tail that differs tenfold between launches has no mean whose
/// interval is above zero.
fn geometric_us(times_ns: &[f64]) -> Option<Drawn> {
    let logs: Vec<f64> = times_ns.iter().map(|time_ns| (time_ns / 1e3).ln()).collect();
    let log = estimate(&logs).ok()?;
    let (low, high) = log.confidence_interval;
    Some((log.value.exp(), (low.exp(), high.exp())))
}

/// Round trips, the hook's cost and the MDE at every spot.
pub(super) fn compared(
    spots: &[ConditionCell<'_>],
    name: &str,
    caption: &str,
    x_title: &str,
    label: impl Fn(&ConditionCell<'_>) -> String,
) -> Result<Figure> {
    let series = |name: &str, of: &dyn Fn(&ConditionCell<'_>) -> Option<Drawn>| ResponseSeries {
        name: name.to_owned(),
        values: spots.iter().map(|spot| of(spot).and_then(above_zero)).collect(),
    };
    let rtt =
        |spot: &ConditionCell<'_>, location| geometric_us(&spot.per_launch(UNMODIFIED, LatencyMetric::Rtt, location));
    Ok(response(&Response {
        name: name.to_owned(),
        caption: caption.to_owned(),
        x_title: x_title.to_owned(),
        y_title: "time (µs), 95 % CI".to_owned(),
        log: true,
        line: None,
        levels: spots.iter().map(label).collect(),
        joined: true,
        series: vec![
            series("median RTT", &|spot| rtt(spot, Location::Median)),
            series("99th percentile", &|spot| rtt(spot, Location::P99)),
            series("hook's cost", &|spot| Some(drawn_us(spot.effect()?.primary()))),
            series("MDE", &|spot| mde_us(spot.a_a()?)),
        ],
    })?)
}
