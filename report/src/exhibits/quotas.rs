//! Quotas: the effects of limits of processor time and memory on latency and on the measured cost of the hook.

use analysis::claims::{MeasuredQuantity, Quantity};
use analysis::figures::Figure;
use analysis::{LatencyMetric, difference_of_estimates, estimate};
use anyhow::Result;
use model::LaunchRecord;
use model::{LimitKind, Location};

use super::condition_cell::{ConditionCell, DrawnValue, UNMODIFIED, condition_cells, overview};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use super::topology::compared;

/// Factor of the grid.
const FACTOR: &str = "limit";

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let figure = compared(
        &cells,
        &recorded.experiment,
        "Servers under a quota of processor time or of memory.",
        "limit of each server",
        label,
    )?;
    let mut table = overview(&cells, label)?;
    table
        .headings
        .extend(["launches throttled", "limit hit"].map(str::to_owned));
    let mut measured: Vec<MeasuredQuantity> = Vec::new();
    for (cell, row) in cells.iter().zip(&mut table.rows) {
        let launches = || cell.run.manifest.launches_in(&cell.condition.condition);
        let throttled = launches().filter(|launch| hit(launch, LimitKind::Throttled)).count();
        // Launches that the validity gate rejects for a limit. Other defects of a launch do not concern this experiment.
        let rejected = launches().filter(|launch| is_hit(launch)).count();
        row.extend([throttled.to_string(), rejected.to_string()]);
        let Some(reference) = cell.reference(&cells) else {
            continue;
        };
        if throttled > 0 {
            measured.extend(
                tail(cell, reference).map(|ratio| cell.measured_beside(reference, Quantity::P99UnderQuota, ratio)),
            );
        }
        if rejected > 0 {
            let error = error(cell, reference)?;
            measured
                .extend(error.map(|error| cell.measured_beside(reference, Quantity::ErrorInRejectedLaunches, error)));
        }
    }
    // The experiment measures the effect of limits, so that a limit that was hit is no reason for doubt.
    measured.iter_mut().for_each(|quantity| quantity.limits_hit.clear());
    Ok((figure, table, measured))
}

fn label(cell: &ConditionCell<'_>) -> String {
    cell.run.level(FACTOR).to_owned()
}

fn hit(launch: &LaunchRecord, kind: LimitKind) -> bool {
    launch.limit_hits.iter().flatten().any(|hit| hit.kind == kind)
}

fn is_hit(launch: &LaunchRecord) -> bool {
    launch.limit_hits.as_ref().is_some_and(|hits| !hits.is_empty())
}

/// The ratio of the 99th percentiles of the round trip: of their geometric means over launches, so that the interval is
/// Welch's of the logarithms.
fn tail(cell: &ConditionCell<'_>, reference: &ConditionCell<'_>) -> Option<DrawnValue> {
    let logs = |cell: &ConditionCell<'_>| {
        let p99 = cell.per_launch(UNMODIFIED, LatencyMetric::Rtt, Location::P99);
        estimate(&p99.iter().map(|p99_ns| p99_ns.ln()).collect::<Vec<_>>()).ok()
    };
    let (log, (low, high)) = difference_of_estimates(&logs(cell)?, &logs(reference)?).ok()?;
    Some((log.exp(), (low.exp(), high.exp())))
}

/// The absolute difference between the cost in rejected launches and the cost without a limit, ns.
fn error(cell: &ConditionCell<'_>, reference: &ConditionCell<'_>) -> Result<Option<DrawnValue>> {
    let (Some(one), Some(other)) = (cell.effect(), reference.effect()) else {
        return Ok(None);
    };
    let (value, (low, high)) = difference_of_estimates(one.primary(), other.primary())?;
    Ok(Some(if value < 0.0 {
        (-value, (-high, -low))
    } else {
        (value, (low, high))
    }))
}
