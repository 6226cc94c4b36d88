//! One condition of one cell, and what every exhibit says of it.

use analysis::claims::{Interval, MeasuredQuantity, Quantity, Reference};
use analysis::stats::power::{Goal, POWER, launches_for};
use analysis::{Estimate, LatencyMetric, estimate, inverse_variance_interval, spread_ratio};
use anyhow::{Context as _, Result, ensure};
use model::{ContrastRole, Location};

use super::recorded_experiment::{RecordedCell, RecordedExperiment};
use super::table::Table;
use crate::evidence::EvidenceContext;
use crate::results::{ConditionResults, Effect};
use crate::table::microseconds;

/// The arm without a hook.
pub(super) const UNMODIFIED: &str = "unmodified";
const CONFIDENCE: f64 = 0.95;

/// A condition that ran, in its cell.
#[derive(Clone, Copy)]
pub(super) struct ConditionCell<'a> {
    pub(super) cell: &'a RecordedCell,
    pub(super) condition: &'a ConditionResults,
}

/// A value with its interval, ready to be drawn.
pub(super) type Drawn = (f64, (f64, f64));

/// All of them, cell by cell.
pub(super) fn spots(recorded: &RecordedExperiment) -> Vec<ConditionCell<'_>> {
    let all = recorded.cells.iter().flat_map(|cell| {
        let ran = cell
            .results
            .conditions
            .iter()
            .filter(|condition| !condition.effects.is_empty());
        ran.map(move |condition| ConditionCell { cell, condition })
    });
    all.collect()
}

impl<'a> ConditionCell<'a> {
    pub(super) fn a_a(&self) -> Option<&'a Estimate> {
        let control = self
            .condition
            .effects
            .iter()
            .find(|effect| effect.role == ContrastRole::Control);
        control.map(Effect::primary)
    }

    /// The last effect of the experiment: by convention all that the hook costs.
    pub(super) fn effect(&self) -> Option<&'a Effect> {
        self.condition
            .effects
            .iter()
            .rfind(|effect| effect.role == ContrastRole::Effect)
    }

    /// The spot in the same condition of the grid's first cell, with which it is compared; `None` for that spot itself.
    pub(super) fn reference<'b>(&self, spots: &'b [ConditionCell<'a>]) -> Option<&'b ConditionCell<'a>> {
        let mut all = spots.iter();
        let first = all.find(|other| other.condition.condition == self.condition.condition)?;
        (first.cell.levels != self.cell.levels).then_some(first)
    }

    /// A location of an arm's times, launch by launch, ns.
    pub(super) fn per_launch(&self, arm: &str, metric: LatencyMetric, location: Location) -> Vec<f64> {
        let launches = self.cell.samples.launches_in(&self.condition.condition);
        let values = launches
            .iter()
            .filter_map(|launch| launch.arms.get(arm)?.of(metric).location(location));
        values.collect()
    }

    /// Its mean over launches.
    pub(super) fn level(&self, arm: &str, metric: LatencyMetric, location: Location) -> Option<Estimate> {
        estimate(&self.per_launch(arm, metric, location)).ok()
    }

    /// How many times as widely as another spot's its A/A differences spread launches.
    pub(super) fn spread_by(&self, other: &ConditionCell<'_>) -> Option<Drawn> {
        spread_ratio(self.a_a()?, other.a_a()?)
    }

    pub(super) fn measured(&self, quantity: Quantity, (value, ends): Drawn) -> MeasuredQuantity {
        let context = EvidenceContext::new(&self.cell.manifest, self.condition, None);
        context.measured(quantity, Interval::new(value, ends))
    }

    /// What this spot and another say together: doubted for either's controls and limits.
    pub(super) fn measured_beside(
        &self,
        other: &ConditionCell<'_>,
        quantity: Quantity,
        drawn: Drawn,
    ) -> MeasuredQuantity {
        let beside = other.measured(quantity.clone(), drawn);
        let mut measured = self.measured(quantity, drawn);
        measured.launches = measured.launches.min(beside.launches);
        measured.limits_hit.extend(beside.limits_hit);
        measured.reference = Some(Reference {
            run: beside.run,
            condition: beside.condition,
        });
        measured
    }
}

/// Spots of a grid with two factors.
pub(super) struct Crossing<'a, 'b> {
    spots: &'b [ConditionCell<'a>],
    factors: [&'static str; 2],
}

impl<'a, 'b> Crossing<'a, 'b> {
    /// Refuses spots that do not have both factors.
    pub(super) fn of(spots: &'b [ConditionCell<'a>], factors: [&'static str; 2]) -> Result<Self> {
        let [one, other] = factors;
        let both = |spot: &ConditionCell<'_>| factors.iter().all(|factor| !spot.cell.level(factor).is_empty());
        ensure!(spots.iter().all(both), "the grid has no factors {one} and {other}");
        Ok(Self { spots, factors })
    }

    /// The levels of both factors, in the order in which they first come.
    pub(super) fn levels(&self) -> [Vec<&'a str>; 2] {
        self.factors.map(|factor| {
            let mut levels: Vec<&'a str> = Vec::new();
            for spot in self.spots {
                let cell: &'a RecordedCell = spot.cell;
                if !levels.contains(&cell.level(factor)) {
                    levels.push(cell.level(factor));
                }
            }
            levels
        })
    }

    pub(super) fn at(&self, one: &str, other: &str) -> Option<&'b ConditionCell<'a>> {
        let mut spots = self.spots.iter();
        spots.find(|spot| self.factors.map(|factor| spot.cell.level(factor)) == [one, other])
    }
}

/// An estimate in microseconds, to draw.
pub(super) fn drawn_us(estimate: &Estimate) -> Drawn {
    let (low, high) = estimate.confidence_interval;
    (estimate.value / 1e3, (low / 1e3, high / 1e3))
}

/// Only what a logarithmic axis can show.
pub(super) fn above_zero(drawn: Drawn) -> Option<Drawn> {
    (drawn.1.0 > 0.0).then_some(drawn)
}

/// The standard deviation between launches with its interval, µs; `None` where launches do not differ.
pub(super) fn spread_us(estimate: &Estimate) -> Option<Drawn> {
    let precision = estimate.launch_sd.powi(-2);
    let (low, high) = inverse_variance_interval(precision, estimate.launches)?;
    let us = |inverse: f64| inverse.sqrt().recip() / 1e3;
    (estimate.launch_sd > 0.0).then(|| (estimate.launch_sd / 1e3, (us(high), us(low))))
}

/// The minimum detectable effect with the interval that its spread gives it, µs.
pub(super) fn mde_us(estimate: &Estimate) -> Option<Drawn> {
    let (spread, (low, high)) = spread_us(estimate)?;
    let times = estimate.mde / 1e3 / spread;
    Some((estimate.mde / 1e3, (low * times, high * times)))
}

/// Launches that would find the effect at 80 % power with the spread of the A/A control.
pub(super) fn launches_needed(effect: &Estimate, a_a: &Estimate) -> Option<u32> {
    let goal = Goal::Effect {
        size: effect.value.abs(),
        power: POWER,
    };
    launches_for(goal, a_a.launch_sd, CONFIDENCE).ok()
}

/// The table that most exhibits have: a row for each spot.
pub(super) fn overview(spots: &[ConditionCell<'_>], label: impl Fn(&ConditionCell<'_>) -> String) -> Result<Table> {
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
    for spot in spots {
        let name = label(spot);
        let a_a = spot.a_a().with_context(|| format!("{name}: no A/A contrast"))?;
        let effect = spot.effect().with_context(|| format!("{name}: no effect"))?.primary();
        let level = |location| {
            let level = spot.level(UNMODIFIED, LatencyMetric::Rtt, location);
            level.map_or_else(|| "\u{2013}".to_owned(), |level| format!("{:.1}", level.value / 1e3))
        };
        table.row([
            name,
            spot.condition.launches.to_string(),
            level(Location::Median),
            level(Location::P99),
            microseconds(effect),
            microseconds(a_a),
            format!("{:.3}", a_a.launch_sd / 1e3),
            format!("{:.3}", a_a.mde / 1e3),
            launches_needed(effect, a_a).map_or_else(|| "\u{2013}".to_owned(), |launches| launches.to_string()),
        ]);
    }
    Ok(table)
}
