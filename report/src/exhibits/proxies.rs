//! Proxies: the cost of proxies in the path, beside the cost of the hook.

use analysis::claims::{MeasuredQuantity, Quantity, Unit, systematic};
use analysis::figures::Figure;
use analysis::{Estimate, LatencyMetric, covariance_of_means, difference_of_estimates, ratio_of_estimates};
use anyhow::{Context as _, Result};
use model::Location;

use super::condition_cell::{ConditionCell, UNMODIFIED, condition_cells, overview};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use super::topology::compared;
use crate::table::DASH;

/// Factor of the grid.
const FACTOR: &str = "proxies";

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let figure = compared(
        &cells,
        &recorded.experiment,
        "Proxies between client and server, as in a service mesh.",
        "proxies in the path",
        label,
    )?;
    let mut table = overview(&cells, label)?;
    table.headings.push("proxies cost, µs".to_owned());
    let mut measured = Vec::new();
    for (cell, row) in cells.iter().zip(&mut table.rows) {
        let Some(reference) = cell.reference(&cells) else {
            row.push(DASH.to_owned());
            continue;
        };
        let (cost, (low, high)) = cost_ns(cell, reference)?;
        row.push(
            Unit::Ns
                .interval(&analysis::claims::Interval::new(cost, (low, high)))
                .replace(" µs", ""),
        );
        measured.extend(by_hook(cell, reference));
        if let Some(ratio) = cell.spread_by(reference) {
            measured.push(cell.measured_beside(reference, Quantity::AASpreadWithProxy, ratio));
        }
    }
    Ok((figure, table, measured))
}

fn label(cell: &ConditionCell<'_>) -> String {
    cell.run.level(FACTOR).to_owned()
}

/// The time that the proxies add to the unmodified program's median wire time, ns.
fn cost_ns(cell: &ConditionCell<'_>, reference: &ConditionCell<'_>) -> Result<(f64, (f64, f64))> {
    let median = |cell: &ConditionCell<'_>| {
        let median = cell.level(UNMODIFIED, LatencyMetric::WireTime, Location::Median);
        median.with_context(|| format!("{}: no wire times", label(cell)))
    };
    Ok(difference_of_estimates(&median(cell)?, &median(reference)?)?)
}

/// The cost of the proxies, divided by the cost of the hook, both measured at the client. The cost of the proxies is a
/// difference of two cells; Fieller's theorem takes it as one estimate.
fn by_hook(cell: &ConditionCell<'_>, reference: &ConditionCell<'_>) -> Option<MeasuredQuantity> {
    let median = |cell: &ConditionCell<'_>| cell.level(UNMODIFIED, LatencyMetric::WireTime, Location::Median);
    let (with, without) = (median(cell)?, median(reference)?);
    let mut cost = with;
    cost.value -= without.value;
    // The variance of the difference of two means, expressed as the variance of one launch.
    let launches = with.launches.min(without.launches);
    #[expect(clippy::cast_precision_loss, reason = "counts of launches")]
    let variance = with.launch_sd.powi(2) / with.launches as f64 + without.launch_sd.powi(2) / without.launches as f64;
    #[expect(clippy::cast_precision_loss, reason = "a count of launches")]
    let launch_sd = (variance * launches as f64).sqrt();
    cost.launch_sd = launch_sd;
    cost.launches = launches;
    let hook = reference.effect()?.primary();
    // The cost of the proxies is a difference of two cells.
    let bounds = [
        cell.systematic_ns() + reference.systematic_ns(),
        reference.systematic_ns(),
    ];
    let shifted = |estimate: &Estimate, shift_ns: f64| Estimate {
        value: estimate.value + shift_ns,
        ..*estimate
    };
    // Both parts subtract the unmodified arm of the cell without a proxy.
    let covariance = shared_covariance(reference)?;
    let ratio = |one, other| ratio_of_estimates(&shifted(&cost, one), &shifted(hook, other), covariance);
    Some(MeasuredQuantity {
        total: systematic::ratio(bounds, ratio),
        ..cell.measured_beside(reference, Quantity::ProxyCostByHookCost, ratio(0.0, 0.0)?)
    })
}

/// The covariance of the means of two quantities of the cell without a proxy, ns²: of the unmodified program's median wire time with
/// its sign changed, and of the hook's cost.
fn shared_covariance(reference: &ConditionCell<'_>) -> Option<f64> {
    let effect = reference.effect()?;
    let per_launch = |arm: &str| reference.per_launch(arm, LatencyMetric::WireTime, Location::Median);
    let (unmodified, baseline, hooked) = (
        per_launch(UNMODIFIED),
        per_launch(&effect.baseline),
        per_launch(&effect.arm),
    );
    let less: Vec<f64> = unmodified.iter().map(|unmodified| -unmodified).collect();
    let costs: Vec<f64> = hooked
        .iter()
        .zip(&baseline)
        .map(|(hooked, baseline)| hooked - baseline)
        .collect();
    (less.len() == costs.len() && less.len() >= 2).then(|| covariance_of_means(&less, &costs))
}
