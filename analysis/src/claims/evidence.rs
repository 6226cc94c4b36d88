//! The measurements by which claims are judged. An experiment of any shape can supply them.

use std::collections::BTreeMap;
use std::fmt;

use model::LimitHit;
use serde::{Deserialize, Serialize};

use super::control::ControlResult;
use super::interval::{Interval, IntervalScale, IntervalTail, Unit};
use super::provenance::{Provenance, RunOrigin};
use super::quantity::Quantity;

/// The machine of a recording that does not name its machine.
pub const UNKNOWN_MACHINE: &str = "machine not recorded";

/// The cell that a quantity is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The run: of a grid, it may be another cell than the quantity's.
    pub run: String,
    /// The condition.
    pub condition: String,
}

/// One quantity of one run in one condition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredQuantity {
    /// The experiment's name.
    pub experiment: String,
    /// The run.
    pub run: String,
    /// The origin of the run; `None` for a run that is judged without other runs.
    #[serde(default)]
    pub source: Option<RunOrigin>,
    /// The machine: [`model::Machine::id`], [`UNKNOWN_MACHINE`], or the name of the study's recordings.
    pub machine: String,
    /// SHA-256 of the registered plan that asked for the run; `None` for a run that no plan asked for.
    pub plan_sha256: Option<String>,
    /// True if the run was made by a commit without changes.
    pub tree_clean: bool,
    /// The level of each factor, by the factor's name; empty for a run that is no grid, and for a quantity of all cells.
    #[serde(default)]
    pub cell: BTreeMap<String, String>,
    /// Parameters that tell quantities of the same name in one cell apart, such as the contrast.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The number of launches, of the condition with fewer launches where two are compared; `None` where the launch is not
    /// the unit of inference.
    #[serde(default)]
    pub launches: Option<usize>,
    /// The quantity.
    pub quantity: Quantity,
    /// The condition.
    pub condition: String,
    /// The cell that it is compared with, where the quantity compares two.
    pub reference: Option<Reference>,
    /// The relation of the condition to the conditions of the study.
    pub provenance: Provenance,
    /// The unit of the interval: the quantity's own.
    pub unit: Unit,
    /// The value with its statistical 95 % interval.
    pub interval: Interval,
    /// The tail of the interval, from which the interval at another confidence follows.
    pub tail: IntervalTail,
    /// The value with the interval that includes the systematic part ([`super::systematic`]). Verdicts use this interval. It
    /// equals `interval` for a quantity without a systematic part. `None` if the systematic part makes the divisor of a ratio
    /// indistinguishable from zero.
    pub total: Option<Interval>,
    /// The value with its 95 % interval, without flagged launches; `None` if no launch is flagged.
    pub without_flagged: Option<Interval>,
    /// The resource limits that were hit during the measurement.
    pub limits_hit: Vec<RepeatedLimitHit>,
}

/// A limit that one subject hit in the launches of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedLimitHit {
    /// The first hit.
    pub hit: LimitHit,
    /// Number of hits of the same kind.
    pub times: usize,
}

impl fmt::Display for RepeatedLimitHit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {} such hits", self.hit, self.times)
    }
}

impl MeasuredQuantity {
    /// Returns a quantity of one condition of a run that no plan asked for, on an unknown machine, without a systematic part, a
    /// reference, a number of launches and flagged launches.
    #[must_use]
    pub fn new(
        experiment: &str,
        run: &str,
        condition: &str,
        quantity: Quantity,
        (interval, tail): (Interval, IntervalTail),
    ) -> Self {
        Self {
            experiment: experiment.to_owned(),
            run: run.to_owned(),
            source: None,
            machine: UNKNOWN_MACHINE.to_owned(),
            plan_sha256: None,
            tree_clean: false,
            cell: BTreeMap::new(),
            parameters: BTreeMap::new(),
            launches: None,
            unit: quantity.unit(),
            quantity,
            condition: condition.to_owned(),
            reference: None,
            provenance: Provenance::of(condition),
            interval,
            tail,
            total: Some(interval),
            without_flagged: None,
            limits_hit: Vec::new(),
        }
    }

    /// The quantity as it would be if its true value were `target` and not `truth`: the ends of both intervals and the value are
    /// moved. Times are shifted by the difference. Ratios are multiplied by the quotient, so that their relative precision stays.
    /// Shares are shifted by the difference of their log odds. A value without a finite position on its scale is shifted by the
    /// difference.
    #[must_use]
    pub fn moved(&self, truth: f64, target: f64) -> Self {
        let scale = match self.unit {
            Unit::Ns => IntervalScale::Linear,
            Unit::Ratio => IntervalScale::Log,
            Unit::Share => IntervalScale::Logit,
        };
        let shift = scale.of(target) - scale.of(truth);
        let value = |value: f64| {
            let moved = scale.back(scale.of(value) + shift);
            if moved.is_finite() {
                moved
            } else {
                value + target - truth
            }
        };
        let interval = |of: &Interval| Interval::new(value(of.value), (value(of.low), value(of.high)));
        Self {
            interval: interval(&self.interval),
            total: self.total.as_ref().map(interval),
            ..self.clone()
        }
    }

    /// The condition as claims write it: `A / B` for a comparison of two conditions of one run.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.reference {
            Some(reference) if reference.run == self.run => format!("{} / {}", self.condition, reference.condition),
            _ => self.condition.clone(),
        }
    }
}

/// All measurements by which claims are judged.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The quantities of all runs.
    pub measured: Vec<MeasuredQuantity>,
    /// The controls of all runs.
    pub controls: Vec<ControlResult>,
}

impl Evidence {
    /// Returns the evidence with `origin` as the source of each quantity and each control.
    #[must_use]
    pub fn of(mut self, origin: RunOrigin) -> Self {
        let measured = self.measured.iter_mut().map(|measured| &mut measured.source);
        let controls = self.controls.iter_mut().map(|control| &mut control.source);
        measured.chain(controls).for_each(|source| *source = Some(origin));
        self
    }

    /// Returns true if the evidence has quantities of recorded runs and quantities of the reader's runs.
    #[must_use]
    pub fn has_both_origins(&self) -> bool {
        let has = |origin| self.measured.iter().any(|measured| measured.source == Some(origin));
        has(RunOrigin::Recorded) && has(RunOrigin::Yours)
    }

    /// Adds the evidence of another run.
    pub fn extend(&mut self, other: Self) {
        self.measured.extend(other.measured);
        self.controls.extend(other.controls);
    }
}
