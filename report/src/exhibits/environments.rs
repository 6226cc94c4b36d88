//! Environments: the hook's cost over environments, servers, styles of calling and the hook's modes.

use std::collections::BTreeMap;

use analysis::claims::{Interval, MeasuredQuantity, Provenance, Quantity};
use analysis::figures::{Figure, Forest, ForestRow, forest};
use analysis::{Estimate, LevelSpread, RandomEffects, i_squared_interval, random_effects, relative_spread_between};
use anyhow::{Context as _, Result};

use super::condition_cell::{ConditionCell, condition_cells};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use crate::evidence::excess;
use crate::figures::forest_row;
use crate::results::Effect;
use crate::secondary_estimates::p_text;
use crate::table::{microseconds, or_dash, signed};

/// The claim's name for all cells together.
const ALL: &str = "all cells";
/// The level of the test that environments do not differ.
const LEVEL: f64 = 0.05;

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let modes = modes(&cells);
    let whole = modes.last().context("the experiment has no effect")?;
    let all = random_effects(&whole.pairs(&cells, |_| true))?;
    let differences = differences(&cells, &modes)?;
    let columns: Vec<&EffectColumn> = modes.iter().chain(&differences).collect();
    let mut table = table(&cells, &columns);
    if differences.is_empty() {
        let alone =
            "Only one mode of the hook was measured, so the data cannot show whether modes differ by environment.";
        table.notes.push(alone.to_owned());
    }
    table
        .notes
        .extend(differences.iter().filter_map(|column| interaction(column, &cells)));
    let figure = forest(&Forest {
        name: recorded.experiment.clone(),
        caption:
            "The cost of the hook in each environment and server, the mean over all of them by a random-effects model with its \
             95 % interval, and the 95 % prediction interval for a further environment."
                .to_owned(),
        x_title: "cost of the hook (µs), 95 % CI".to_owned(),
        x_limits: None,
        rows: rows(&cells, whole, &all),
    })?;
    let mut measured = Vec::new();
    for factor in EnvironmentFactor::ALL {
        let Some(spread) = factor.spread(&cells, &modes) else {
            table.notes.push(factor.unknown());
            continue;
        };
        table.notes.push(factor.sentence(&spread));
        measured.extend(cells.first().map(|cell| MeasuredQuantity {
            condition: ALL.to_owned(),
            cell: BTreeMap::new(),
            provenance: provenance(&cells, cell),
            ..cell.measured(factor.quantity(), (spread.tau, spread.confidence_interval))
        }));
    }
    Ok((figure, table, measured))
}

/// The provenance of all cells together: the engine's if one of them has an engine.
fn provenance(cells: &[ConditionCell<'_>], first: &ConditionCell<'_>) -> Provenance {
    let mut all = cells.iter().map(|cell| Provenance::of(&cell.condition.condition));
    all.find(|one| *one == Provenance::Engine)
        .unwrap_or_else(|| Provenance::of(&first.condition.condition))
}

/// A factor between whose levels the effect can differ.
#[derive(Clone, Copy, strum::Display)]
#[strum(serialize_all = "lowercase")]
enum EnvironmentFactor {
    Topology,
    Server,
    Mode,
}

impl EnvironmentFactor {
    const ALL: [Self; 3] = [Self::Topology, Self::Server, Self::Mode];

    const fn quantity(self) -> Quantity {
        match self {
            Self::Topology => Quantity::SpreadBetweenTopologies,
            Self::Server => Quantity::SpreadBetweenServers,
            Self::Mode => Quantity::SpreadBetweenModes,
        }
    }

    /// The relative spread between the factor's levels. The strata are the combinations of the other factors' levels. Topology
    /// and server are compared by the whole hook; modes are compared in all cells. `None` without two levels and a stratum in
    /// which all of them have a clear effect.
    fn spread(self, cells: &[ConditionCell<'_>], modes: &[EffectColumn]) -> Option<LevelSpread> {
        let whole = modes.last()?;
        let pair = |estimate: &Option<Estimate>| {
            let estimate = estimate.as_ref()?;
            Some((estimate.value, estimate.standard_error()))
        };
        let names = |of: &dyn Fn(&ConditionCell<'_>) -> String| {
            let mut found: Vec<String> = Vec::new();
            for name in cells.iter().map(of).filter(|name| !name.is_empty()) {
                if !found.contains(&name) {
                    found.push(name);
                }
            }
            found
        };
        let topology = |cell: &ConditionCell<'_>| cell.condition.condition.clone();
        let (topologies, servers) = (names(&topology), names(&server));
        let at = |place: &str, program: &str| {
            let mut all = cells.iter().zip(&whole.estimates);
            let (_, estimate) = all.find(|(cell, _)| topology(cell) == place && server(cell) == program)?;
            pair(estimate)
        };
        let table: Vec<Vec<Option<(f64, f64)>>> = match self {
            Self::Topology => topologies
                .iter()
                .map(|place| servers.iter().map(|program| at(place, program)).collect())
                .collect(),
            Self::Server => servers
                .iter()
                .map(|program| topologies.iter().map(|place| at(place, program)).collect())
                .collect(),
            Self::Mode => modes
                .iter()
                .map(|mode| mode.estimates.iter().map(pair).collect())
                .collect(),
        };
        relative_spread_between(&table).ok()
    }

    fn sentence(self, spread: &LevelSpread) -> String {
        let (low, high) = spread.confidence_interval;
        let left_out = match spread.left_out {
            0 => String::new(),
            count => format!("; {count} left out, because a cell is missing or its effect is not clearly above zero"),
        };
        format!(
            "{self}: between {} levels the cost of the hook differs by {} [{}, {}] of itself (τ of its logarithm, other factors \
             held fixed, {} strata{left_out}).",
            spread.levels,
            percent(spread.tau),
            percent(low),
            percent(high),
            spread.strata,
        )
    }

    fn unknown(self) -> String {
        format!("{self}: no spread, because it has one level, or no stratum in which all levels have a clear effect.")
    }
}

/// The cost of a mode of the hook, or the difference of two modes, in each cell.
struct EffectColumn {
    name: String,
    estimates: Vec<Option<Estimate>>,
}

impl EffectColumn {
    /// The estimates and standard errors of some of the cells.
    fn pairs(&self, cells: &[ConditionCell<'_>], among: impl Fn(&ConditionCell<'_>) -> bool) -> Vec<(f64, f64)> {
        let known = cells.iter().zip(&self.estimates).filter(|(cell, _)| among(cell));
        let known = known.filter_map(|(_, estimate)| estimate.as_ref());
        known
            .map(|estimate| (estimate.value, estimate.standard_error()))
            .collect()
    }
}

/// The effects of the first cell in all cells. The last effect is by convention the whole hook.
fn modes(cells: &[ConditionCell<'_>]) -> Vec<EffectColumn> {
    let first = cells.first().into_iter().flat_map(|cell| cell.condition.costs());
    let column = |mode: &Effect| EffectColumn {
        name: mode.name.clone(),
        estimates: cells
            .iter()
            .map(|cell| named(cell, &mode.name).map(|effect| *effect.primary()))
            .collect(),
    };
    first.map(column).collect()
}

fn named<'a>(cell: &ConditionCell<'a>, name: &str) -> Option<&'a Effect> {
    cell.condition.costs().find(|effect| effect.name == name)
}

/// The effect of the whole hook minus the effect of each other mode. The differences are taken within launches, so that common variation
/// cancels.
fn differences(cells: &[ConditionCell<'_>], modes: &[EffectColumn]) -> Result<Vec<EffectColumn>> {
    let Some((whole, others)) = modes.split_last() else {
        return Ok(Vec::new());
    };
    let column = |other: &EffectColumn| {
        let within = |cell: &ConditionCell<'_>| match (named(cell, &whole.name), named(cell, &other.name)) {
            (Some(one), Some(other)) => excess(cell.condition, &cell.run.samples, one, other),
            _ => Ok(None),
        };
        Ok(EffectColumn {
            name: format!("{} less {}", whole.name, other.name),
            estimates: cells.iter().map(within).collect::<Result<_>>()?,
        })
    };
    others.iter().map(column).collect()
}

/// Effects with their standard errors, ns.
type EffectsWithErrors = Vec<(f64, f64)>;
/// The text of one row of the summary, from the summary of a column and the effects in it.
type SummaryText<'a> = &'a dyn Fn(&RandomEffects, &[(f64, f64)]) -> String;

fn table(cells: &[ConditionCell<'_>], columns: &[&EffectColumn]) -> Table {
    let mut table = Table::new([""]);
    table
        .headings
        .extend(columns.iter().map(|column| format!("{}, µs", column.name)));
    for (index, cell) in cells.iter().enumerate() {
        let mut row = vec![format!("{}, {}", server(cell), cell.condition.condition)];
        let estimates = columns.iter().map(|column| column.estimates[index].as_ref());
        row.extend(estimates.map(|estimate| or_dash(estimate.map(microseconds))));
        table.row(row);
    }
    // A mode that costs the same in all launches of an environment has no summary.
    let pairs: Vec<EffectsWithErrors> = columns.iter().map(|column| column.pairs(cells, |_| true)).collect();
    let summaries: Vec<Option<RandomEffects>> = pairs.iter().map(|pairs| random_effects(pairs).ok()).collect();
    let mut summary = |name: &str, text: SummaryText<'_>| {
        let mut row = vec![name.to_owned()];
        let known = summaries.iter().zip(&pairs);
        row.extend(known.map(|(all, pairs)| or_dash(all.as_ref().map(|all| text(all, pairs)))));
        table.row(row);
    };
    summary("mean over all cells", &|all, _| {
        let (low, high) = all.confidence_interval;
        format!("{} [{}, {}]", signed(all.value), signed(low), signed(high))
    });
    summary("a further environment", &|all, _| {
        let text = |(low, high)| format!("{} to {}", signed(low), signed(high));
        or_dash(all.prediction_interval.map(text))
    });
    summary("SD between environments (τ), µs", &|all, _| {
        format!("{:.2}", all.tau_squared.sqrt() / 1e3)
    });
    summary("I²", &|all, pairs| {
        let ends = i_squared_interval(pairs).map(|(low, high)| format!(" [{}, {}]", percent(low), percent(high)));
        format!("{}{}", percent(all.i_squared), ends.unwrap_or_default())
    });
    summary("p of equal environments (Q test)", &|all, _| p_text(all.q_p_value()));
    let mut conditions: BTreeMap<String, u32> = BTreeMap::new();
    for cell in cells {
        *conditions.entry(server(cell)).or_default() += 1;
    }
    for name in conditions.iter().filter(|(_, count)| **count > 1).map(|(name, _)| name) {
        let mut row = vec![format!("I² of {name} over its conditions")];
        row.extend(columns.iter().map(|column| {
            let within = random_effects(&column.pairs(cells, |cell| server(cell) == *name));
            or_dash(within.ok().map(|within| percent(within.i_squared)))
        }));
        table.row(row);
    }
    table
}

/// A sentence on whether the difference of two modes depends on the environment; `None` without a summary.
fn interaction(column: &EffectColumn, cells: &[ConditionCell<'_>]) -> Option<String> {
    let all = random_effects(&column.pairs(cells, |_| true)).ok()?;
    let p = all.q_p_value();
    let finding = if p < LEVEL {
        "depends on the environment"
    } else {
        "is not shown to depend on the environment"
    };
    Some(format!(
        "The difference \"{}\" {finding}: its standard deviation between {} environments is {:.2} µs (I² {}, Q test p = {}).",
        column.name,
        all.conditions,
        all.tau_squared.sqrt() / 1e3,
        percent(all.i_squared),
        p_text(p)
    ))
}

fn server(cell: &ConditionCell<'_>) -> String {
    cell.run.level("server").to_owned()
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// The rows of the figure: the cost of the whole hook.
fn rows(cells: &[ConditionCell<'_>], whole: &EffectColumn, all: &RandomEffects) -> Vec<ForestRow> {
    let known = cells.iter().zip(&whole.estimates);
    let known = known.filter_map(|(cell, estimate)| Some((cell, estimate.as_ref()?)));
    let mut rows: Vec<ForestRow> = known
        .map(|(cell, estimate)| {
            let label = cell.condition.condition.as_str();
            forest_row(label, Some(&server(cell)), estimate)
        })
        .collect();
    let summary = |label, ends| forest_row(label, Some(ALL), Interval::new(all.value, ends));
    rows.push(summary("mean", all.confidence_interval));
    rows.extend(
        all.prediction_interval
            .map(|ends| summary("a further environment", ends)),
    );
    rows
}
