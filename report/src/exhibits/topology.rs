//! r01 and r02: where client and servers stand.

use analysis::claims::Measured;
use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::{Location, Quantity};
use anyhow::Result;

use super::recorded::Recorded;
use super::spot::{Drawn, Spot, UNMODIFIED, above_zero, drawn_us, mde_us, overview, spots};
use super::table::Table;

pub(super) fn of(recorded: &Recorded) -> Result<(Figure, Table, Vec<Measured>)> {
    let spots = spots(recorded);
    let figure = compared(
        &spots,
        &recorded.experiment,
        "Where client and servers stand: the server's round trip and its 99th percentile, what the hook costs, and the \
         least cost that these launches would find (MDE). 95 % intervals over launches.",
        "",
        label,
    )?;
    Ok((figure, overview(&spots, label)?, Vec::new()))
}

fn label(spot: &Spot<'_>) -> String {
    let condition = &spot.condition.condition;
    match spot.cell.level("relay") {
        "" | "none" => condition.clone(),
        relay => format!("{condition}, relay: {relay}"),
    }
}

/// Round trips, the hook's cost and the MDE at every spot.
pub(super) fn compared(
    spots: &[Spot<'_>],
    name: &str,
    caption: &str,
    x_title: &str,
    label: impl Fn(&Spot<'_>) -> String,
) -> Result<Figure> {
    let series = |name: &str, of: &dyn Fn(&Spot<'_>) -> Option<Drawn>| ResponseSeries {
        name: name.to_owned(),
        values: spots.iter().map(|spot| of(spot).and_then(above_zero)).collect(),
    };
    let rtt = |spot: &Spot<'_>, location| spot.level(UNMODIFIED, Quantity::Rtt, location).as_ref().map(drawn_us);
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
