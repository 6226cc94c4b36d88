//! Control gates: what must hold before a result is believed, and how often controls missed.

use serde::{Deserialize, Serialize};

use super::definition::Margins;
use super::evidence::{Interval, Source};
use super::expectation::{Expectation, Verdict};
use crate::{Proportion, proportion};

/// Share of 95 % intervals that may miss.
const MISSES: f64 = 0.05;

/// Which control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// Two arms of the same treatment: their difference.
    AA,
    /// A known delay: recovered minus true.
    Calibration,
}

impl ControlKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AA, Self::Calibration];

    /// As shown to people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::AA => "A/A control",
            Self::Calibration => "calibration",
        }
    }

    /// How far it may be from zero.
    #[must_use]
    pub const fn expectation(self, margins: &Margins) -> Expectation {
        Expectation::equivalent(margins.of(self))
    }
}

/// One control of one run in one condition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Which.
    pub kind: ControlKind,
    /// The run.
    pub run: String,
    /// Whose run, as [`super::Measured`] has it.
    #[serde(default)]
    pub source: Option<Source>,
    /// Where.
    pub condition: String,
    /// The program that was measured, whose margins apply.
    pub server: String,
    /// What should be zero, ns.
    pub interval: Interval,
}

impl Control {
    /// Equivalence to zero within the server's margin.
    #[must_use]
    pub fn verdict(&self, margins: &Margins) -> Verdict {
        self.kind.expectation(margins).judge(&self.interval)
    }

    /// Whether the 95 % interval leaves out the truth.
    #[must_use]
    pub fn missed(&self) -> bool {
        self.interval.low > 0.0 || self.interval.high < 0.0
    }
}

/// How often the intervals of a kind of control left out the truth, over all runs. One miss in twenty is what 95 % means,
/// so that no single miss says anything; their number does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Misses {
    /// Which control.
    pub kind: ControlKind,
    /// Misses among all intervals.
    pub missed: Proportion,
    /// Exact binomial test: the probability of a count as unlikely as this one, were the intervals what they claim.
    pub p_value: f64,
}

/// Counts the misses of each kind of control; a kind that was never measured is left out.
#[must_use]
pub fn misses(controls: &[Control]) -> Vec<Misses> {
    ControlKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let of_kind: Vec<&Control> = controls.iter().filter(|control| control.kind == kind).collect();
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
