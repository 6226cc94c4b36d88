//! Claims with their verdicts.

use std::collections::BTreeMap;
use std::fmt;

use model::{PrimaryRow, RowCombination};
use serde::{Serialize, Serializer};

use super::control::ControlKind;
use super::evidence::{Reference, RepeatedLimitHit};
use super::expectation::{PValues, Verdict};
use super::interval::{Interval, IntervalScale, IntervalTail, Unit};
use super::provenance::{Provenance, RunOrigin};
use super::quantity::Quantity;

/// The smallest number of launches with which an interval decides. An interval of fewer launches is only shown.
pub const FEWEST_LAUNCHES: usize = 10;

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

/// A claim with its verdicts.
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
    /// The combination of the rows of one machine.
    pub combine: RowCombination,
    /// The judgement by the primary rows, which decides.
    pub registered: Judgement,
    /// The judgement by all other rows, which decides nothing.
    pub exploratory: Judgement,
    /// One row for each quantity.
    pub rows: Vec<ClaimRow>,
}

impl JudgedClaim {
    /// Both judgements with their names.
    #[must_use]
    pub const fn judgements(&self) -> [(RowRole, &Judgement); 2] {
        [
            (RowRole::Primary, &self.registered),
            (RowRole::Exploratory, &self.exploratory),
        ]
    }

    /// The rows of one role.
    pub fn rows_of(&self, role: RowRole) -> impl Iterator<Item = &ClaimRow> {
        self.rows.iter().filter(move |row| row.role == role)
    }
}

/// The verdict of rows of one role, machine by machine and over all machines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The verdict over all machines.
    pub verdict: Verdict,
    /// The verdict of each machine, by its name.
    pub machines: Vec<MachineVerdict>,
    /// True if there are rows, and no real engine is among their conditions.
    pub emulated_only: bool,
    /// The conditions of the claim without a row of this role.
    pub not_run: Vec<String>,
    /// The random-effects summary of each row over machines; empty below five machines.
    pub over_machines: Vec<OverMachines>,
    /// The reasons for which the verdict depends on one launch; empty unless stability was examined. The verdict is then
    /// [`Verdict::Inconclusive`].
    pub unstable: Vec<String>,
    /// The reason of the verdict in words.
    pub text: String,
}

impl Judgement {
    /// The restrictions of the verdict: `1 of 2 machines supports, emulated only`; `None` without any.
    #[must_use]
    pub fn restrictions(&self) -> Option<String> {
        let mut found = Vec::new();
        if self.machines.len() > 1 {
            let supporting = self.machines.iter().filter(|one| one.verdict == Verdict::Supported);
            let supporting = supporting.count();
            let verb = if supporting == 1 { "supports" } else { "support" };
            found.push(format!("{supporting} of {} machines {verb}", self.machines.len()));
        }
        if self.emulated_only {
            found.push("emulated only".to_owned());
        }
        (!found.is_empty()).then(|| found.join(", "))
    }

    /// The verdict with its restrictions: `inconclusive (1 of 2 machines supports, emulated only)`.
    #[must_use]
    pub fn shown(&self) -> String {
        let restrictions = self.restrictions();
        restrictions.map_or_else(
            || self.verdict.to_string(),
            |found| format!("{} ({found})", self.verdict),
        )
    }
}

/// The verdict of the rows of one machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MachineVerdict {
    /// The machine.
    pub machine: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The primary rows of the plan that the machine does not have.
    pub missing: Vec<String>,
}

/// One row over machines, which are taken as a random sample of machines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverMachines {
    /// The condition with cell and parameters.
    pub place: String,
    /// The unit of the intervals.
    pub unit: Unit,
    /// The number of machines.
    pub machines: usize,
    /// The mean over machines with its 95 % interval.
    pub mean: Interval,
    /// The standard deviation between machines (τ), on `scale`: ns, a logarithm, or a logarithm of odds.
    pub tau: f64,
    /// The scale on which the summary is computed.
    pub scale: IntervalScale,
    /// The mean with the 95 % prediction interval for a further machine.
    pub further: Interval,
}

/// The role of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum RowRole {
    /// The current plan names the row, and its run was recorded by this plan from a clean commit.
    Primary,
    /// Any other row. It decides nothing.
    Exploratory,
}

/// One measured quantity with its verdict on a claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimRow {
    /// The index of the quantity in [`super::Evidence::measured`].
    #[serde(skip)]
    pub quantity_index: usize,
    /// The role.
    pub role: RowRole,
    /// The run.
    pub run: String,
    /// The origin of the run; absent for a run that is judged without other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<RunOrigin>,
    /// The machine.
    pub machine: String,
    /// SHA-256 of the registered plan that asked for the run.
    pub plan_sha256: Option<String>,
    /// The level of each factor.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cell: BTreeMap<String, String>,
    /// Parameters of the quantity.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// The number of launches; `None` where the launch is not the unit of inference.
    pub launches: Option<usize>,
    /// The condition; `A / B` for a comparison of A with B.
    pub condition: String,
    /// The cell that the quantity is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The relation of the condition to the conditions of the study.
    pub provenance: Provenance,
    /// The unit of the intervals.
    pub unit: Unit,
    /// The value with its statistical 95 % interval.
    pub interval: Interval,
    /// The value with the interval that includes the systematic part; `None` where it has no ends.
    pub total: Option<Interval>,
    /// The tail of the interval.
    pub tail: IntervalTail,
    /// The value with its 95 % interval, without flagged launches; `None` if no launch is flagged.
    pub without_flagged: Option<Interval>,
    /// The one-sided p values, before any correction. Both are 1 if the row decides nothing.
    pub p: PValues,
    /// The verdict of this row alone, by its total interval.
    pub verdict: Verdict,
    /// The reasons for which the row decides nothing.
    pub reasons: Vec<Doubt>,
}

impl ClaimRow {
    /// Returns true if the row has enough launches to take part in a verdict.
    pub(super) fn counts(&self) -> bool {
        self.launches.is_none_or(|launches| launches >= FEWEST_LAUNCHES)
    }

    /// Returns true if the row is what the plan names.
    pub(super) fn is(&self, planned: &PrimaryRow) -> bool {
        let has = |(name, value): (&String, &String)| self.parameters.get(name) == Some(value);
        self.run_name() == planned.run
            && self.condition == planned.condition.to_string()
            && self.cell == planned.cell
            && planned.parameters.iter().all(has)
    }

    /// The name of the run without the name of its cell.
    #[must_use]
    pub fn run_name(&self) -> &str {
        self.run.split_once('/').map_or(self.run.as_str(), |(run, _)| run)
    }

    /// The condition, with the cell and the parameters where the row has any: `local-pod (neighbour: CPU 90 %)`.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.condition, &self.cell, &self.parameters)
    }
}

/// A condition with the levels of a cell and the parameters of a quantity.
pub(super) fn place(condition: &str, cell: &BTreeMap<String, String>, parameters: &BTreeMap<String, String>) -> String {
    let further: Vec<String> = cell
        .iter()
        .chain(parameters)
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    if further.is_empty() {
        condition.to_owned()
    } else {
        format!("{condition} ({})", further.join("; "))
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
    /// The systematic part leaves the ratio without an interval.
    NoTotalInterval,
    /// A resource limit was hit.
    LimitHit(RepeatedLimitHit),
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewLaunches(launches) => write!(formatter, "{launches} launches, fewer than {FEWEST_LAUNCHES}"),
            Self::MissingControl { kind, place } => write!(formatter, "no {kind} in {place}"),
            Self::NoTotalInterval => formatter
                .write_str("the systematic part of the divisor contains zero, so the ratio has no total interval"),
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
