//! r08: limits of processor time and memory, and what they do to latency and to what one believes of the hook.

use analysis::claims::{MeasuredQuantity, Quantity};
use analysis::figures::Figure;
use analysis::{LatencyMetric, difference_of_estimates, estimate};
use anyhow::Result;
use model::LaunchRecord;
use model::{LimitKind, Location};

use super::condition_cell::{ConditionCell, Drawn, UNMODIFIED, overview, spots};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use super::topology::compared;

/// Factor of the grid.
const FACTOR: &str = "limit";

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let spots = spots(recorded);
    let figure = compared(
        &spots,
        &recorded.experiment,
        "Servers under a quota of processor time or of memory: round trip and 99th percentile of the unmodified program, what \
         the hook costs, and the least cost that these launches would find (MDE). Round trips as geometric means over launches.",
        "limit of each server",
        label,
    )?;
    let mut table = overview(&spots, label)?;
    table
        .headings
        .extend(["launches throttled", "limit hit"].map(str::to_owned));
    let mut measured: Vec<MeasuredQuantity> = Vec::new();
    for (spot, row) in spots.iter().zip(&mut table.rows) {
        let throttled = launches(spot)
            .filter(|launch| hit(launch, LimitKind::Throttled))
            .count();
        // What the validity gate rejects for a limit; what else may be wrong with a launch is none of this experiment's.
        let rejected = launches(spot).filter(|launch| is_hit(launch)).count();
        row.extend([throttled.to_string(), rejected.to_string()]);
        let Some(reference) = spot.reference(&spots) else {
            continue;
        };
        if throttled > 0 {
            measured.extend(
                tail(spot, reference).map(|ratio| spot.measured_beside(reference, Quantity::P99UnderQuota, ratio)),
            );
        }
        if rejected > 0 {
            let error = error(spot, reference)?;
            measured
                .extend(error.map(|error| spot.measured_beside(reference, Quantity::ErrorInRejectedLaunches, error)));
        }
    }
    // That limits were hit is what is measured here, and no reason to doubt it.
    measured.iter_mut().for_each(|quantity| quantity.limits_hit.clear());
    Ok((figure, table, measured))
}

fn label(spot: &ConditionCell<'_>) -> String {
    spot.cell.level(FACTOR).to_owned()
}

fn launches<'a>(spot: &ConditionCell<'a>) -> impl Iterator<Item = &'a LaunchRecord> {
    let condition = &spot.condition.condition;
    let launches = spot.cell.manifest.launches.iter();
    launches.filter(move |launch| launch.condition == *condition)
}

fn hit(launch: &LaunchRecord, kind: LimitKind) -> bool {
    launch.limit_hits.iter().flatten().any(|hit| hit.kind == kind)
}

fn is_hit(launch: &LaunchRecord) -> bool {
    launch.limit_hits.as_ref().is_some_and(|hits| !hits.is_empty())
}

/// The ratio of the 99th percentiles of the round trip: of their geometric means over launches, so that the interval is
/// Welch's of the logarithms.
fn tail(spot: &ConditionCell<'_>, reference: &ConditionCell<'_>) -> Option<Drawn> {
    let logs = |spot: &ConditionCell<'_>| {
        let p99 = spot.per_launch(UNMODIFIED, LatencyMetric::Rtt, Location::P99);
        estimate(&p99.iter().map(|p99_ns| p99_ns.ln()).collect::<Vec<_>>()).ok()
    };
    let (log, (low, high)) = difference_of_estimates(&logs(spot)?, &logs(reference)?).ok()?;
    Some((log.exp(), (low.exp(), high.exp())))
}

/// By how much the cost that the rejected launches show is off what the unlimited ones show, whichever way.
fn error(spot: &ConditionCell<'_>, reference: &ConditionCell<'_>) -> Result<Option<Drawn>> {
    let (Some(one), Some(other)) = (spot.effect(), reference.effect()) else {
        return Ok(None);
    };
    let (value, (low, high)) = difference_of_estimates(one.primary(), other.primary())?;
    Ok(Some(if value < 0.0 {
        (-value, (-high, -low))
    } else {
        (value, (low, high))
    }))
}
