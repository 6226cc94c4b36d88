//! One condition of one cell, and the numbers that all exhibits show of it.

use analysis::claims::{Interval, MeasuredQuantity, Quantity, Reference, Unit, systematic};
use analysis::stats::power::{Goal, POWER, launches_for};
use analysis::{Estimate, LatencyMetric, estimate, inverse_variance_interval, spread_ratio};
use anyhow::{Context as _, Result, ensure};
use model::Location;

use super::recorded_experiment::{RecordedCell, RecordedExperiment};
use super::table::Table;
use crate::evidence::EvidenceContext;
use crate::results::{ConditionResults, Effect};
use crate::table::{microseconds, or_dash};

/// The arm without a hook.
pub(super) const UNMODIFIED: &str = "unmodified";
const CONFIDENCE: f64 = 0.95;

/// A condition that ran, with its cell.
#[derive(Clone, Copy)]
pub(super) struct ConditionCell<'a> {
    pub(super) run: &'a RecordedCell,
    pub(super) condition: &'a ConditionResults,
}

/// A value with its interval, ready to be drawn.
pub(super) type DrawnValue = (f64, (f64, f64));

/// All conditions that ran, cell by cell.
pub(super) fn condition_cells(recorded: &RecordedExperiment) -> Vec<ConditionCell<'_>> {
    let all = recorded.cells.iter().flat_map(|run| {
        let ran = run
            .results
            .conditions
            .iter()
            .filter(|condition| !condition.effects.is_empty());
        ran.map(move |condition| ConditionCell { run, condition })
    });
    all.collect()
}

impl<'a> ConditionCell<'a> {
    pub(super) fn a_a(&self) -> Option<&'a Estimate> {
        self.condition.control().map(Effect::primary)
    }

    /// The A/A difference of each launch, ns.
    fn a_a_per_launch(&self) -> Option<Vec<f64>> {
        crate::evidence::primary_per_launch(self.condition, &self.run.samples, self.condition.control()?)
    }

    /// The last effect of the experiment: by convention all that the hook costs.
    pub(super) fn effect(&self) -> Option<&'a Effect> {
        self.condition.costs().next_back()
    }

    /// Returns the reference: this condition in the first cell of the grid. `None` for the first cell.
    pub(super) fn reference<'b>(&self, cells: &'b [ConditionCell<'a>]) -> Option<&'b ConditionCell<'a>> {
        let mut all = cells.iter();
        let first = all.find(|other| other.condition.condition == self.condition.condition)?;
        (first.run.levels != self.run.levels).then_some(first)
    }

    /// A location of an arm's times, launch by launch, ns.
    pub(super) fn per_launch(&self, arm: &str, metric: LatencyMetric, location: Location) -> Vec<f64> {
        let launches = self.run.samples.launches_in(&self.condition.condition);
        let values = launches
            .iter()
            .filter_map(|launch| launch.arms.get(arm)?.of(metric).location(location));
        values.collect()
    }

    /// Its mean over launches.
    pub(super) fn level(&self, arm: &str, metric: LatencyMetric, location: Location) -> Option<Estimate> {
        estimate(&self.per_launch(arm, metric, location)).ok()
    }

    /// The spread of its A/A differences, divided by the spread of another cell's.
    pub(super) fn spread_by(&self, other: &ConditionCell<'_>) -> Option<DrawnValue> {
        spread_ratio(&self.a_a_per_launch()?, &other.a_a_per_launch()?)
    }

    pub(super) fn measured(&self, quantity: Quantity, (value, ends): DrawnValue) -> MeasuredQuantity {
        let context = EvidenceContext::new(&self.run.manifest, self.condition, None);
        MeasuredQuantity {
            cell: self.run.levels.clone(),
            ..context.measured(quantity, Interval::new(value, ends))
        }
    }

    /// The bound on the systematic error of a difference of medians, ns; zero without a control.
    pub(super) fn systematic_ns(&self) -> f64 {
        self.condition.systematic_ns(Location::Median).unwrap_or(0.0)
    }

    /// A quantity that compares this cell with another. The controls, the systematic part and the limits of both apply.
    pub(super) fn measured_beside(
        &self,
        other: &ConditionCell<'_>,
        quantity: Quantity,
        drawn: DrawnValue,
    ) -> MeasuredQuantity {
        let beside = other.measured(quantity.clone(), drawn);
        let mut measured = self.measured(quantity, drawn);
        if measured.unit == Unit::Ns {
            let bound_ns = self.systematic_ns() + other.systematic_ns();
            measured.total = Some(systematic::widened(&measured.interval, bound_ns));
        }
        if beside.launches < measured.launches {
            measured.launches = beside.launches;
            measured.tail = beside.tail;
        }
        measured.limits_hit.extend(beside.limits_hit);
        measured.reference = Some(Reference {
            run: beside.run,
            condition: beside.condition,
        });
        measured
    }
}

/// The cells of a grid with two factors.
pub(super) struct Crossing<'a, 'b> {
    cells: &'b [ConditionCell<'a>],
    factors: [&'static str; 2],
}

impl<'a, 'b> Crossing<'a, 'b> {
    /// Refuses cells that do not have both factors.
    pub(super) fn of(cells: &'b [ConditionCell<'a>], factors: [&'static str; 2]) -> Result<Self> {
        let [one, other] = factors;
        let both = |cell: &ConditionCell<'_>| factors.iter().all(|factor| !cell.run.level(factor).is_empty());
        ensure!(cells.iter().all(both), "the grid has no factors {one} and {other}");
        Ok(Self { cells, factors })
    }

    /// The levels of both factors, in the order of their first appearance.
    pub(super) fn levels(&self) -> [Vec<&'a str>; 2] {
        self.factors.map(|factor| {
            let mut levels: Vec<&'a str> = Vec::new();
            for cell in self.cells {
                let run: &'a RecordedCell = cell.run;
                if !levels.contains(&run.level(factor)) {
                    levels.push(run.level(factor));
                }
            }
            levels
        })
    }

    pub(super) fn at(&self, one: &str, other: &str) -> Option<&'b ConditionCell<'a>> {
        let mut cells = self.cells.iter();
        cells.find(|cell| self.factors.map(|factor| cell.run.level(factor)) == [one, other])
    }
}

/// An estimate in microseconds, to draw.
pub(super) fn drawn_us(estimate: &Estimate) -> DrawnValue {
    let (low, high) = estimate.confidence_interval;
    (estimate.value / 1e3, (low / 1e3, high / 1e3))
}

/// The value if a logarithmic axis can show its interval.
pub(super) fn above_zero(drawn: DrawnValue) -> Option<DrawnValue> {
    (drawn.1.0 > 0.0).then_some(drawn)
}

/// The standard deviation between launches with its interval, µs; `None` where launches do not differ.
pub(super) fn spread_us(estimate: &Estimate) -> Option<DrawnValue> {
    let precision = estimate.launch_sd.powi(-2);
    let (low, high) = inverse_variance_interval(precision, estimate.launches)?;
    let us = |inverse: f64| inverse.sqrt().recip() / 1e3;
    (estimate.launch_sd > 0.0).then(|| (estimate.launch_sd / 1e3, (us(high), us(low))))
}

/// The minimum detectable effect with the interval that its spread gives it, µs.
pub(super) fn mde_us(estimate: &Estimate) -> Option<DrawnValue> {
    let (spread, (low, high)) = spread_us(estimate)?;
    let times = estimate.mde / 1e3 / spread;
    Some((estimate.mde / 1e3, (low * times, high * times)))
}

/// The number of launches that finds an effect at 80 % power with a spread between launches; `None` above a million.
pub(super) fn launches_for_effect(effect_ns: f64, launch_sd_ns: f64) -> Option<u32> {
    let goal = Goal::Effect {
        size: effect_ns.abs(),
        power: POWER,
    };
    launches_for(goal, launch_sd_ns, CONFIDENCE).ok()
}

/// The table of most exhibits: a row for each cell.
pub(super) fn overview(cells: &[ConditionCell<'_>], label: impl Fn(&ConditionCell<'_>) -> String) -> Result<Table> {
    let mut table = Table::new([
        "",
        "launches",
        "median RTT, µs",
        "p99, µs",
        "hook costs, µs",
        "A/A, µs",
        "SD, µs",
        "MDE, µs",
        "launches for 80 %",
    ]);
    for cell in cells {
        let name = label(cell);
        let a_a = cell.a_a().with_context(|| format!("{name}: no A/A contrast"))?;
        let effect = cell.effect().with_context(|| format!("{name}: no effect"))?.primary();
        let level = |location| {
            let level = cell.level(UNMODIFIED, LatencyMetric::Rtt, location);
            or_dash(level.map(|level| format!("{:.1}", level.value / 1e3)))
        };
        table.row([
            name,
            cell.condition.launches.to_string(),
            level(Location::Median),
            level(Location::P99),
            microseconds(effect),
            microseconds(a_a),
            format!("{:.3}", a_a.launch_sd / 1e3),
            format!("{:.3}", a_a.mde / 1e3),
            or_dash(launches_for_effect(effect.value, a_a.launch_sd)),
        ]);
    }
    Ok(table)
}
