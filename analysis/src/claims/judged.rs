//! Claims with their verdicts.

use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};

use super::evidence::RepeatedLimitHit;
use super::expectation::{Expectation, Verdict};
use super::interval::{Interval, Unit};
use super::margins::ControlKind;
use super::provenance::{Provenance, RunOrigin};
use super::quantity::Quantity;

/// The smallest number of launches with which an interval decides. An interval of fewer launches is only shown.
pub(super) const FEWEST_LAUNCHES: usize = 10;

/// A recommendation with its judged claims.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedRecommendation {
    /// The number in the study, 1 to 10.
    pub number: u8,
    /// The text of the study.
    pub text: String,
    /// The claims in the order of the file.
    pub claims: Vec<JudgedClaim>,
}

/// A claim with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedClaim {
    /// The claim's name.
    pub id: String,
    /// The claim in words.
    pub says: String,
    /// The quantity that is measured.
    pub quantity: Quantity,
    /// Direction and threshold in words.
    pub expectation: String,
    /// The source of the threshold.
    pub threshold_from: String,
    /// The verdict over all conditions.
    pub verdict: Verdict,
    /// The reason of the verdict in words.
    pub text: String,
    /// One row for each run and condition.
    pub rows: Vec<ClaimRow>,
    /// The conditions without data.
    pub not_run: Vec<String>,
}

/// One measured quantity with its verdict on a claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimRow {
    /// The run.
    pub run: String,
    /// The origin of the run; absent for a run that is judged without other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<RunOrigin>,
    /// The number of launches; `None` where the launch is not the unit of inference.
    pub launches: Option<usize>,
    /// The condition; `A / B` for a comparison of A with B.
    pub condition: String,
    /// The relation of the condition to the conditions of the study.
    pub provenance: Provenance,
    /// The unit of the intervals.
    pub unit: Unit,
    /// The value with its 95 % interval.
    pub interval: Interval,
    /// The value with its 95 % interval, without flagged launches; `None` if no launch is flagged.
    pub without_flagged: Option<Interval>,
    /// The verdict of this row alone.
    pub verdict: Verdict,
    /// The reasons for which the row decides nothing.
    pub reasons: Vec<Doubt>,
}

impl ClaimRow {
    /// Returns true if the row has enough launches to take part in the verdict over all conditions.
    pub(super) fn counts(&self) -> bool {
        self.launches.is_none_or(|launches| launches >= FEWEST_LAUNCHES)
    }
}

/// A reason for which a measured quantity decides nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Doubt {
    /// Fewer launches than an interval needs.
    TooFewLaunches(usize),
    /// A control that the claim asks for was not measured.
    MissingControl {
        /// The kind of control.
        kind: ControlKind,
        /// The condition, with the run where it is another one.
        place: String,
    },
    /// A control that the claim asks for does not hold.
    FailedControl {
        /// The kind of control.
        kind: ControlKind,
        /// The condition, with the run where it is another one.
        place: String,
        /// The difference that should be zero, ns.
        interval: Interval,
        /// Equivalence to zero within the server's margin.
        expectation: Expectation,
        /// The verdict of the control.
        verdict: Verdict,
    },
    /// A resource limit was hit.
    LimitHit(RepeatedLimitHit),
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewLaunches(launches) => write!(formatter, "{launches} launches, fewer than {FEWEST_LAUNCHES}"),
            Self::MissingControl { kind, place } => write!(formatter, "no {kind} in {place}"),
            Self::FailedControl {
                kind,
                place,
                interval,
                expectation,
                verdict,
            } => write!(
                formatter,
                "{kind} in {place} is {}, expected {}: {verdict}",
                Unit::Ns.interval(interval),
                expectation.text(Unit::Ns)
            ),
            Self::LimitHit(limit) => write!(formatter, "limit hit: {limit}"),
        }
    }
}

impl Serialize for Doubt {
    /// Serializes the doubt as the text of its `Display`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JudgedClaim {
    /// The conditions with data and their provenance, and the conditions without; `None` where nothing was measured.
    #[must_use]
    pub fn covered(&self) -> Option<String> {
        if self.rows.is_empty() {
            return None;
        }
        let rows = self.rows.iter();
        let mut covered: Vec<String> = rows
            .map(|row| format!("{} ({})", row.condition, row.provenance))
            .collect();
        covered.sort();
        covered.dedup();
        let mut text = format!("from: {}", covered.join(", "));
        if !self.not_run.is_empty() {
            _ = write!(text, "; not run: {}", self.not_run.join(", "));
        }
        Some(text)
    }
}
