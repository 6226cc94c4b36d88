//! The controls of runs, and how often they missed.

use serde::{Deserialize, Serialize};

use super::expectation::Verdict;
use super::interval::Interval;
use super::margins::{ControlKind, Margins};
use super::provenance::RunOrigin;
use crate::{Proportion, proportion};

/// The share of 95 % intervals that leaves out the truth.
const MISSES: f64 = 0.05;

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
    /// The program that was measured. Its margins apply.
    pub server: String,
    /// The difference that should be zero, ns.
    pub interval: Interval,
}

impl ControlResult {
    /// The verdict of equivalence to zero within the server's margin.
    #[must_use]
    pub fn verdict(&self, margins: &Margins) -> Verdict {
        self.kind.expectation(margins).judge(&self.interval)
    }

    /// Returns true if the 95 % interval does not contain zero.
    #[must_use]
    pub fn missed(&self) -> bool {
        self.interval.low > 0.0 || self.interval.high < 0.0
    }
}

/// The number of intervals of one kind of control that miss the truth, over all runs. One interval in twenty misses the
/// truth by chance. Therefore the number of misses is evidence, but a single miss is not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Misses {
    /// The kind of control.
    pub kind: ControlKind,
    /// The misses among all intervals.
    pub missed: Proportion,
    /// The exact binomial test: the probability of a count at least as unlikely as this one if 5 % of the intervals miss.
    pub p_value: f64,
}

/// Counts the misses of each kind of control. A kind that was never measured is left out.
#[must_use]
pub fn misses(controls: &[ControlResult]) -> Vec<Misses> {
    ControlKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let of_kind: Vec<&ControlResult> = controls.iter().filter(|control| control.kind == kind).collect();
            let missed = of_kind.iter().filter(|control| control.missed()).count();
            let missed = proportion(missed as u64, of_kind.len() as u64).ok()?;
            Some(Misses {
                kind,
                p_value: missed.p_value(MISSES),
                missed,
            })
        })
        .collect()
}
