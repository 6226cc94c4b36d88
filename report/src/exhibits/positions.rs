//! Positions: the cost of a search by the size of the payload and the position of the keyword.

use std::collections::BTreeMap;

use analysis::claims::{Interval, MeasuredQuantity, Quantity, systematic};
use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::{Estimate, linear_contrast, slope_coefficients};
use anyhow::Result;
use model::Message;

use super::condition_cell::{ConditionCell, Crossing, DrawnValue, condition_cells, drawn_us, overview};
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
    let mut table = overview(&cells, label)?;
    let mut measured = Vec::new();
    let pairs: Vec<(&ConditionCell<'_>, &ConditionCell<'_>)> = sizes
        .iter()
        .filter_map(|size| Some((at(size, END)?, at(size, BEGINNING)?)))
        .collect();
    if let (Some((end, beginning)), Some(slope)) = (pairs.last(), slope(&pairs)?) {
        let interval = Interval::new(slope.0, slope.1);
        measured.push(MeasuredQuantity {
            cell: BTreeMap::new(),
            total: Some(systematic::widened(&interval, slope_bound_ns(&pairs))),
            ..end.measured_beside(beginning, Quantity::EffectPerKib, slope)
        });
        let (value, (low, high)) = slope;
        table.notes.push(format!(
            "Each KiB of payload before the keyword adds {value:.1} [{low:.1}, {high:.1}] ns: the slope over the size of the \
             payload of the cost with a keyword at the end less the cost with a keyword at the beginning."
        ));
    }
    Ok((figure, table, measured))
}

/// The least-squares slope over the size of the payload of the effect with a keyword at the end less the effect with one at the
/// beginning, ns per KiB. `None` with fewer than two sizes, or a payload whose size is unknown.
fn slope(pairs: &[(&ConditionCell<'_>, &ConditionCell<'_>)]) -> Result<Option<DrawnValue>> {
    let sizes: Option<Vec<f64>> = pairs.iter().map(|(end, _)| kib(end)).collect();
    let Some(coefficients) = sizes.and_then(|sizes| slope_coefficients(&sizes)) else {
        return Ok(None);
    };
    let mut parts: Vec<(f64, &Estimate)> = Vec::new();
    for ((end, beginning), times) in pairs.iter().zip(coefficients) {
        let (Some(one), Some(other)) = (end.effect(), beginning.effect()) else {
            return Ok(None);
        };
        parts.extend([(times, one.primary()), (-times, other.primary())]);
    }
    Ok(Some(linear_contrast(&parts)?))
}

/// The bound on the systematic error of the slope, ns per KiB: the bounds of all cells, each times the size of its coefficient.
fn slope_bound_ns(pairs: &[(&ConditionCell<'_>, &ConditionCell<'_>)]) -> f64 {
    let sizes: Option<Vec<f64>> = pairs.iter().map(|(end, _)| kib(end)).collect();
    let coefficients = sizes.and_then(|sizes| slope_coefficients(&sizes)).unwrap_or_default();
    let bounds = pairs.iter().zip(coefficients);
    bounds
        .map(|((end, beginning), times)| times.abs() * (end.systematic_ns() + beginning.systematic_ns()))
        .sum()
}

/// The size of the payload without the keyword, KiB.
#[expect(clippy::cast_precision_loss, reason = "the size of a request")]
fn kib(cell: &ConditionCell<'_>) -> Option<f64> {
    match &cell.run.manifest.plan.as_ref()?.request {
        Message::Http(request) => Some(request.body.len() as f64 / 1024.0),
        Message::Redis { .. } | Message::Tcp { .. } => None,
    }
}

fn label(cell: &ConditionCell<'_>) -> String {
    format!("{}, keyword: {}", cell.run.level(SIZE), cell.run.level(POSITION))
}
