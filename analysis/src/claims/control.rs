//! The controls of runs, and how often they missed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::provenance::RunOrigin;
use crate::{Proportion, proportion};

/// The share of 95 % intervals that leaves out the truth.
const MISSES: f64 = 0.05;

/// The kind of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// The difference of two arms with the same treatment.
    #[strum(to_string = "A/A control")]
    AA,
    /// The recovered minus the true delay of an arm with a known delay.
    Calibration,
}

impl ControlKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::AA, Self::Calibration];
}

/// One control of one run in one condition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ControlResult {
    /// The kind of control.
    pub kind: ControlKind,
    /// The run.
    pub run: String,
    /// The origin of the run, as in [`super::MeasuredQuantity::source`].
    #[serde(default)]
    pub source: Option<RunOrigin>,
    /// The condition.
    pub condition: String,
    /// The machine, as in [`super::MeasuredQuantity::machine`].
    pub machine: String,
    /// The difference that should be zero, ns.
    pub interval: Interval,
    /// The bound on the absolute systematic error that the control shows ([`super::systematic::bound`]), ns.
    pub bound_ns: f64,
}

impl ControlResult {
    /// Returns true if the 95 % interval does not contain zero.
    #[must_use]
    pub fn missed(&self) -> bool {
        self.interval.low > 0.0 || self.interval.high < 0.0
    }
}

/// The number of intervals of one kind of control that miss the truth, over all runs of one machine. One interval in twenty
/// misses the truth by chance. Therefore the number of misses is evidence, but a single miss is not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Misses {
    /// The machine, as in [`super::MeasuredQuantity::machine`].
    pub machine: String,
    /// The kind of control.
    pub kind: ControlKind,
    /// The misses among all intervals.
    pub missed: Proportion,
    /// The exact binomial test: the probability of a count at least as unlikely as this one if 5 % of the intervals miss.
    pub p_value: f64,
}

/// Counts the misses of each kind of control on each machine. A kind that was never measured on a machine is left out.
#[must_use]
pub fn misses(controls: &[ControlResult]) -> Vec<Misses> {
    let mut by_kind: BTreeMap<(&str, ControlKind), Vec<bool>> = BTreeMap::new();
    for control in controls {
        let of_kind = by_kind.entry((&control.machine, control.kind)).or_default();
        of_kind.push(control.missed());
    }
    let counted = by_kind.into_iter().filter_map(|((machine, kind), missed)| {
        let count = missed.iter().filter(|missed| **missed).count();
        let missed = proportion(count as u64, missed.len() as u64).ok()?;
        Some(Misses {
            machine: machine.to_owned(),
            kind,
            p_value: missed.p_value(MISSES),
            missed,
        })
    });
    counted.collect()
}
