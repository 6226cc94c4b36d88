//! The summary of a row over machines.

use std::collections::BTreeMap;

use super::interval::Interval;
use super::judged::{ClaimRow, OverMachines};
use crate::{RandomEffects, random_effects};

/// The smallest number of machines with a summary. With fewer machines the variance between machines is hardly known.
const FEWEST_MACHINES: usize = 5;

/// The summary of each row that at least five machines have. A row with several values on one machine, or with a value
/// without a finite position on its scale, has no summary.
pub(super) fn over_machines<'a>(rows: impl Iterator<Item = &'a ClaimRow>) -> Vec<OverMachines> {
    let mut by_place: BTreeMap<(String, String), Vec<&ClaimRow>> = BTreeMap::new();
    for row in rows.filter(|row| row.reasons.is_empty()) {
        let key = (row.run_name().to_owned(), row.place());
        by_place.entry(key).or_default().push(row);
    }
    by_place
        .into_iter()
        .filter_map(|((_, place), rows)| summary(place, &rows))
        .collect()
}

fn summary(place: String, rows: &[&ClaimRow]) -> Option<OverMachines> {
    let mut machines: Vec<&str> = rows.iter().map(|row| row.machine.as_str()).collect();
    machines.sort_unstable();
    machines.dedup();
    if machines.len() < FEWEST_MACHINES || machines.len() != rows.len() {
        return None;
    }
    let scale = rows.first()?.tail.scale;
    let effects: Vec<(f64, f64)> = rows.iter().map(|row| row.tail.effect(&row.interval)).collect();
    let RandomEffects {
        value,
        confidence_interval,
        tau_squared,
        prediction_interval,
        ..
    } = random_effects(&effects).ok()?;
    let interval = |(low, high): (f64, f64)| Interval::new(scale.back(value), (scale.back(low), scale.back(high)));
    Some(OverMachines {
        place,
        unit: rows.first()?.unit,
        machines: rows.len(),
        mean: interval(confidence_interval),
        tau: tau_squared.sqrt(),
        scale,
        further: interval(prediction_interval?),
    })
}
