//! Observers: the same requests, timed at each layer between the hook and a near or a far client.

use analysis::Estimate;
use analysis::claims::MeasuredQuantity;
use analysis::figures::{Figure, Response, ResponseSeries, response};
use anyhow::{Result, ensure};

use super::condition_cell::{ConditionCell, condition_cells, spread_us};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use crate::layers::{Layer, LayerEffect};
use crate::results::Effect;
use crate::table::{microseconds, or_dash};
use model::ContrastRole;

/// The contrast between a server that stamps its requests and one that does not: the cost of the probe.
const STAMPING: &str = "stamping";

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let series: Vec<ResponseSeries> = cells.iter().map(spread).collect();
    ensure!(
        series.iter().any(|series| series.values.iter().any(Option::is_some)),
        "no server left stamps; write stamps = true in [sut]"
    );
    let figure = response(&Response {
        name: recorded.experiment.clone(),
        caption: "The standard deviation of the hook's effect between launches, at each layer from the hook to the client. The number \
                  of launches for a given precision grows with the square of this standard deviation."
            .to_owned(),
        x_title: "layer at which a request is timed".to_owned(),
        y_title: "SD of the effect (µs), 95 % CI".to_owned(),
        log: true,
        line: None,
        levels: Layer::ALL.iter().map(ToString::to_string).collect(),
        joined: true,
        series,
    })?;
    let mut table = Table::new([
        "",
        "layer",
        "hook costs, µs",
        "SD, µs",
        "signal to noise",
        "launches for 80 %",
        "stamps cost, µs",
    ]);
    for cell in &cells {
        let stamping = stamping(cell);
        for row in effects(cell) {
            let stamps = stamping.and_then(|effect| seen_from_outside(effect, row.layer));
            table.row([
                cell.condition.condition.clone(),
                row.layer.to_string(),
                microseconds(&row.effect),
                format!("{:.3}", row.effect.launch_sd / 1e3),
                or_dash(row.signal_to_noise.map(|ratio| format!("{ratio:.1}"))),
                or_dash(row.launches_needed),
                or_dash(stamps.map(microseconds)),
            ]);
        }
        table
            .notes
            .extend(stamping.map(|effect| probed(cell, effect.primary())));
    }
    Ok((figure, table, Vec::new()))
}

/// The cost of the whole hook at each layer.
fn effects<'a>(cell: &ConditionCell<'a>) -> impl Iterator<Item = &'a LayerEffect> {
    let name = cell.effect().map_or("", |effect| effect.name.as_str());
    let layers = cell.condition.layers.iter();
    layers.filter(move |row| row.role == ContrastRole::Effect && row.contrast == name)
}

fn stamping<'a>(cell: &ConditionCell<'a>) -> Option<&'a Effect> {
    let effects = &cell.condition.effects;
    effects.iter().find(|effect| effect.name == STAMPING)
}

/// The cost of stamping at a layer. One of both arms leaves no stamps, so that only the client's layers have both.
fn seen_from_outside(stamping: &Effect, layer: Layer) -> Option<&Estimate> {
    match layer {
        Layer::WireTime => stamping.wire_median.as_ref(),
        Layer::Rtt => Some(&stamping.rtt_median),
        Layer::Hook | Layer::LibcCall | Layer::Handler => None,
    }
}

/// A sentence with the cost of the stamps and its share in the cost of the hook.
fn probed(cell: &ConditionCell<'_>, cost: &Estimate) -> String {
    let (low, high) = cost.confidence_interval;
    let told = if low <= 0.0 && high >= 0.0 {
        ", whose interval contains zero"
    } else {
        ""
    };
    let beside = cell.effect().map_or_else(String::new, |effect| {
        let share = 100.0 * (cost.value / effect.primary().value).abs();
        format!("; that is {share:.0} % of the cost of the hook, both of whose arms have stamps")
    });
    format!(
        "{}: the server's own stamps cost a request {} µs{told}{beside}.",
        cell.condition.condition,
        microseconds(cost)
    )
}

fn spread(cell: &ConditionCell<'_>) -> ResponseSeries {
    let at = |layer: &Layer| spread_us(&effects(cell).find(|row| row.layer == *layer)?.effect);
    ResponseSeries {
        name: cell.condition.condition.clone(),
        values: Layer::ALL.iter().map(at).collect(),
    }
}
