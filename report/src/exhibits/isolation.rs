//! r06: what the hook costs in a tight loop, and what it costs servers.

use analysis::claims::{Measured, Unit};
use analysis::figures::{Figure, Forest, ForestRow, forest};
use anyhow::Result;

use super::recorded::Recorded;
use super::spot::{Spot, spots};
use super::table::Table;
use crate::table::microseconds;

pub(super) fn of(recorded: &Recorded) -> Result<(Figure, Table, Vec<Measured>)> {
    let spots = spots(recorded);
    let mut rows = Vec::new();
    let mut table = Table::new([
        "",
        "treatment",
        "calls per request",
        "predicted, µs",
        "observed, µs",
        "observed by predicted",
    ]);
    for spot in &spots {
        let server = label(spot);
        for row in &spot.condition.isolated {
            table.row([
                server.clone(),
                row.contrast.clone(),
                format!("{:.2}", row.calls_per_request),
                microseconds(&row.predicted),
                microseconds(&row.observed),
                row.ratio
                    .as_ref()
                    .map_or_else(|| "\u{2013}".to_owned(), |ratio| Unit::Ratio.interval(ratio)),
            ]);
            rows.extend(
                [("predicted", &row.predicted), ("observed", &row.observed)].map(|(what, estimate)| {
                    let (low, high) = estimate.confidence_interval;
                    ForestRow {
                        label: format!("{}, {what}", row.contrast),
                        group: Some(server.clone()),
                        value: estimate.value / 1e3,
                        confidence_interval: (low / 1e3, high / 1e3),
                    }
                }),
            );
        }
    }
    let figure = forest(&Forest {
        name: recorded.experiment.clone(),
        caption: "What a request pays for the hook: predicted by the hook's cost per call in a tight loop times the calls of a \
                  request, and observed as median wire time. 95 % intervals over launches."
            .to_owned(),
        x_title: "cost of the hook (µs per request), 95 % CI".to_owned(),
        x_limits: None,
        rows,
    })?;
    Ok((figure, table, Vec::new()))
}

fn label(spot: &Spot<'_>) -> String {
    spot.cell.level("server").to_owned()
}
