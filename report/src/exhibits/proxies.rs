//! r03: what proxies in the path cost, beside the hook.

use analysis::claims::{MeasuredQuantity, Quantity, Unit};
use analysis::figures::Figure;
use analysis::{LatencyMetric, difference_of_estimates, ratio_of_estimates};
use anyhow::{Context as _, Result};
use model::Location;

use super::condition_cell::{ConditionCell, UNMODIFIED, overview, spots};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use super::topology::compared;

/// Factor of the grid.
const FACTOR: &str = "proxies";

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let spots = spots(recorded);
    let figure = compared(
        &spots,
        &recorded.experiment,
        "Proxies between client and server, as a service mesh puts them: round trip and 99th percentile of the unmodified \
         program, what the hook costs, and the least cost that these launches would find (MDE). Round trips as geometric means over launches.",
        "proxies in the path",
        label,
    )?;
    let mut table = overview(&spots, label)?;
    table.headings.push("proxies cost, µs".to_owned());
    let mut measured = Vec::new();
    for (spot, row) in spots.iter().zip(&mut table.rows) {
        let Some(reference) = spot.reference(&spots) else {
            row.push("\u{2013}".to_owned());
            continue;
        };
        let (cost, (low, high)) = cost_ns(spot, reference)?;
        row.push(
            Unit::Ns
                .interval(&analysis::claims::Interval::new(cost, (low, high)))
                .replace(" µs", ""),
        );
        measured.extend(by_hook(spot, reference));
        if let Some(ratio) = spot.spread_by(reference) {
            measured.push(spot.measured_beside(reference, Quantity::AASpreadWithProxy, ratio));
        }
    }
    Ok((figure, table, measured))
}

fn label(spot: &ConditionCell<'_>) -> String {
    spot.cell.level(FACTOR).to_owned()
}

/// What the proxies add to the unmodified program's median wire time, ns.
fn cost_ns(spot: &ConditionCell<'_>, reference: &ConditionCell<'_>) -> Result<(f64, (f64, f64))> {
    let median = |spot: &ConditionCell<'_>| {
        let median = spot.level(UNMODIFIED, LatencyMetric::WireTime, Location::Median);
        median.with_context(|| format!("{}: no wire times", label(spot)))
    };
    Ok(difference_of_estimates(&median(spot)?, &median(reference)?)?)
}

/// The proxies' cost by the hook's, both as the same client sees them. The cost is a difference of two cells, whose intervals
/// Fieller's theorem takes as one estimate's.
fn by_hook(spot: &ConditionCell<'_>, reference: &ConditionCell<'_>) -> Option<MeasuredQuantity> {
    let median = |spot: &ConditionCell<'_>| spot.level(UNMODIFIED, LatencyMetric::WireTime, Location::Median);
    let (with, without) = (median(spot)?, median(reference)?);
    let mut cost = with;
    cost.value -= without.value;
    // The variance of a difference of means, as one of so many launches.
    let launches = with.launches.min(without.launches);
    #[expect(clippy::cast_precision_loss, reason = "counts of launches")]
    let variance = with.launch_sd.powi(2) / with.launches as f64 + without.launch_sd.powi(2) / without.launches as f64;
    #[expect(clippy::cast_precision_loss, reason = "a count of launches")]
    let launch_sd = (variance * launches as f64).sqrt();
    cost.launch_sd = launch_sd;
    cost.launches = launches;
    let ratio = ratio_of_estimates(&cost, reference.effect()?.primary())?;
    Some(spot.measured_beside(reference, Quantity::ProxyCostByHookCost, ratio))
}
