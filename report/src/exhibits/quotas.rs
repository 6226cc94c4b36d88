//! Quotas: the effects of limits of processor time and memory on latency and on the measured cost of the hook.

use analysis::claims::{MeasuredQuantity, Quantity, systematic};
use analysis::figures::Figure;
use analysis::{Estimate, LatencyMetric, difference_of_estimates, differences, estimate, spread_ratio};
use anyhow::Result;
use model::LaunchRecord;
use model::{LimitKind, Location};

use super::condition_cell::{ConditionCell, DrawnValue, UNMODIFIED, condition_cells, overview};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use super::topology::compared;
use crate::table::{microseconds, or_dash};

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
    table.headings.extend(
        [
            "mean RTT, µs",
            "requests/s",
            "mean effect, µs",
            "its SD, µs",
            "effect on p99, µs",
            "launches throttled",
            "limit hit",
        ]
        .map(str::to_owned),
    );
    let mut measured: Vec<MeasuredQuantity> = Vec::new();
    for (cell, row) in cells.iter().zip(&mut table.rows) {
        let launches = || cell.run.manifest.launches_in(&cell.condition.condition);
        let throttled = launches().filter(|launch| hit(launch, LimitKind::Throttled)).count();
        // Launches that the validity gate rejects for a limit. Other defects of a launch do not concern this experiment.
        let rejected = launches().filter(|launch| is_hit(launch)).count();
        let mean_effect = effect_on(cell, Location::Mean);
        row.extend([
            or_dash(geometric(&mean_rtt(cell)).map(|mean| format!("{:.1}", mean.value.exp() / 1e3))),
            or_dash(geometric(&throughput(cell)).map(|rate| format!("{:.0}", rate.value.exp()))),
            or_dash(mean_effect.as_ref().map(microseconds)),
            or_dash(mean_effect.map(|effect| format!("{:.3}", effect.launch_sd / 1e3))),
            or_dash(effect_on(cell, Location::P99).as_ref().map(microseconds)),
            throttled.to_string(),
            rejected.to_string(),
        ]);
        let Some(reference) = cell.reference(&cells) else {
            continue;
        };
        let beside = |quantity, drawn: DrawnValue| cell.measured_beside(reference, quantity, drawn);
        if throttled > 0 {
            let p99 = |cell: &ConditionCell<'_>| cell.per_launch(UNMODIFIED, LatencyMetric::Rtt, Location::P99);
            let ratios = [
                (Quantity::P99UnderQuota, ratio(&p99(cell), &p99(reference))),
                (Quantity::MeanUnderQuota, ratio(&mean_rtt(cell), &mean_rtt(reference))),
                (
                    Quantity::ThroughputUnderQuota,
                    ratio(&throughput(cell), &throughput(reference)),
                ),
            ];
            measured.extend(
                ratios
                    .into_iter()
                    .filter_map(|(quantity, ratio)| Some(beside(quantity, ratio?))),
            );
        }
        if rejected > 0
            && let (Some(one), Some(other)) = (effect_on(cell, Location::Mean), effect_on(reference, Location::Mean))
        {
            let error = beside(Quantity::ErrorInRejectedLaunches, distance(&one, &other)?);
            let bound_ns = |cell: &ConditionCell<'_>| cell.condition.systematic_ns(Location::Mean).unwrap_or(0.0);
            measured.push(MeasuredQuantity {
                total: Some(systematic::widened(
                    &error.interval,
                    bound_ns(cell) + bound_ns(reference),
                )),
                ..error
            });
            let means = |cell| effects_on(cell, Location::Mean);
            let spread = means(cell).zip(means(reference));
            let spread = spread.and_then(|(one, other)| spread_ratio(&one, &other));
            measured.extend(spread.map(|spread| beside(Quantity::EffectSpreadInRejectedLaunches, spread)));
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

/// The mean round trip of the unmodified program, launch by launch, ns.
fn mean_rtt(cell: &ConditionCell<'_>) -> Vec<f64> {
    cell.per_launch(UNMODIFIED, LatencyMetric::Rtt, Location::Mean)
}

/// Requests per second over all arms, launch by launch.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn throughput(cell: &ConditionCell<'_>) -> Vec<f64> {
    let launches = cell.run.manifest.launches_in(&cell.condition.condition);
    let loads = launches.filter_map(|launch| launch.loadgen.as_ref());
    let sending_s = loads.map(|load| (load.observations, load.elapsed_s - load.writing_s));
    let rates = sending_s.filter(|(_, seconds)| *seconds > 0.0);
    rates.map(|(requests, seconds)| requests as f64 / seconds).collect()
}

/// The mean over launches of the logarithms; `None` for a value that is not above zero.
fn geometric(values: &[f64]) -> Option<Estimate> {
    estimate(&values.iter().map(|value| value.ln()).collect::<Vec<_>>()).ok()
}

/// The ratio of the geometric means over launches. Its interval is Welch's interval of the logarithms.
fn ratio(one: &[f64], other: &[f64]) -> Option<DrawnValue> {
    let (log, (low, high)) = difference_of_estimates(&geometric(one)?, &geometric(other)?).ok()?;
    Some((log.exp(), (low.exp(), high.exp())))
}

/// The effect of the whole hook on a location of the round trip. The round trip is what a quota makes longer; a median ignores
/// the few requests that a throttled server answers late.
fn effect_on(cell: &ConditionCell<'_>, location: Location) -> Option<Estimate> {
    estimate(&effects_on(cell, location)?).ok()
}

/// The effect in each launch, ns.
fn effects_on(cell: &ConditionCell<'_>, location: Location) -> Option<Vec<f64>> {
    let whole = cell.effect()?;
    let here = cell.run.samples.launches_in(&cell.condition.condition);
    differences(here, &whole.baseline, &whole.arm, LatencyMetric::Rtt, location).ok()
}

/// The absolute difference of two independent effects, ns, with Welch's interval.
fn distance(one: &Estimate, other: &Estimate) -> Result<DrawnValue> {
    let (value, (low, high)) = difference_of_estimates(one, other)?;
    Ok(if value < 0.0 {
        (-value, (-high, -low))
    } else {
        (value, (low, high))
    })
}
