//! r10: the hook's cost over environments, servers and styles of calling.

use std::collections::BTreeMap;

use analysis::claims::{Interval, Measured, Provenance, Unit};
use analysis::figures::{Figure, Forest, ForestRow, forest};
use analysis::{Estimate, RandomEffects, i_squared_interval, random_effects};
use anyhow::Result;

use super::recorded::Recorded;
use super::spot::{Spot, spots};
use super::table::Table;
use crate::table::{microseconds, signed};

/// The claim's name for all cells together.
const ALL: &str = "all cells";

pub(super) fn of(recorded: &Recorded) -> Result<(Figure, Table, Vec<Measured>)> {
    let spots = spots(recorded);
    let mut rows = Vec::new();
    let mut table = Table::new(["", "hook costs, µs"]);
    let mut effects = Vec::new();
    let mut by_server: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for spot in &spots {
        let Some(effect) = spot.effect() else { continue };
        let estimate = effect.primary();
        let name = format!("{}, {}", server(spot), spot.condition.condition);
        table.row([name, microseconds(estimate)]);
        let pair = (estimate.value, standard_error(estimate));
        effects.push(pair);
        by_server.entry(server(spot)).or_default().push(pair);
        rows.push(row(
            &spot.condition.condition,
            &server(spot),
            estimate.value,
            estimate.confidence_interval,
        ));
    }
    let all = random_effects(&effects)?;
    summary(&mut table, &mut rows, ALL, &all);
    for (server, effects) in &by_server {
        if effects.len() > 1 {
            let within = random_effects(effects)?;
            table.row([
                format!("{server}, over its conditions"),
                format!("I² {:.0} %", 100.0 * within.i_squared),
            ]);
        }
    }
    let figure = forest(&Forest {
        name: recorded.experiment.clone(),
        caption:
            "What the hook costs in each environment and server, and over all of them: the mean of a random-effects \
                  summary with its interval, and where a further environment's effect lies with 95 %."
                .to_owned(),
        x_title: "cost of the hook (µs), 95 % CI".to_owned(),
        x_limits: None,
        rows,
    })?;
    let heterogeneity = i_squared_interval(&effects)?;
    let measured = spots.first().map(|spot| Measured {
        condition: ALL.to_owned(),
        provenance: Provenance::of(&spot.condition.condition),
        ..spot.measured(
            "heterogeneity of the effect",
            Unit::Share,
            (all.i_squared, heterogeneity),
        )
    });
    Ok((figure, table, measured.into_iter().collect()))
}

fn server(spot: &Spot<'_>) -> String {
    spot.cell.level("server").to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "a count of launches")]
fn standard_error(estimate: &Estimate) -> f64 {
    estimate.launch_sd / (estimate.launches as f64).sqrt()
}

fn row(label: &str, group: &str, value: f64, (low, high): (f64, f64)) -> ForestRow {
    ForestRow {
        label: label.to_owned(),
        group: Some(group.to_owned()),
        value: value / 1e3,
        confidence_interval: (low / 1e3, high / 1e3),
    }
}

fn summary(table: &mut Table, rows: &mut Vec<ForestRow>, group: &str, all: &RandomEffects) {
    let (low, high) = all.confidence_interval;
    rows.push(row("mean", group, all.value, (low, high)));
    table.row([
        "mean over all cells".to_owned(),
        Unit::Ns
            .interval(&Interval::new(all.value, (low, high)))
            .replace(" µs", ""),
    ]);
    if let Some((low, high)) = all.prediction_interval {
        rows.push(row("a further environment", group, all.value, (low, high)));
        table.row([
            "a further environment".to_owned(),
            format!("{} to {}", signed(low), signed(high)),
        ]);
    }
    table.row(["I²".to_owned(), format!("{:.0} %", 100.0 * all.i_squared)]);
}
