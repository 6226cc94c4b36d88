//! The facts from which the checklist is computed.

use std::collections::BTreeMap;

use crate::claims::ControlKind;

/// One contrast in one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectFact {
    /// The contrast's name and condition.
    pub name: String,
    /// True if the contrast has a finite 95 % interval over launches.
    pub interval: bool,
    /// True if the difference of 99th percentiles is known.
    pub tail: bool,
}

/// One control in one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlFact {
    /// The kind of control.
    pub kind: ControlKind,
    /// The condition.
    pub condition: String,
    /// The bound on the systematic error that the control shows, with its unit; `None` without an interval.
    pub bound: Option<String>,
}

/// The facts of a run, from its manifest and data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// The question that the experiment asks.
    pub question: Option<String>,
    /// The contrasts with their location.
    pub metrics: Vec<String>,
    /// The parts of the plan that define the workload, with their content.
    pub workload: Vec<(&'static str, Option<String>)>,
    /// Number of launches of each condition that ran.
    pub launches: BTreeMap<String, usize>,
    /// Number of treatments that were compared.
    pub treatments: usize,
    /// Order of the requests.
    pub schedule: Option<String>,
    /// Hardware, software and place, with the values in the manifest.
    pub setup: Vec<(&'static str, Option<String>)>,
    /// Git revision of the tools.
    pub revision: Option<String>,
    /// Number of files of the run.
    pub files: usize,
    /// The files of launches without a checksum in the manifest.
    pub unchecked_files: Vec<String>,
    /// Contrasts.
    pub effects: Vec<EffectFact>,
    /// Controls.
    pub controls: Vec<ControlFact>,
    /// Columns that hold times.
    pub time_columns: Vec<String>,
    /// The conditions that cost money.
    pub paid_conditions: Vec<String>,
    /// The cost of these conditions.
    pub cost: Option<String>,
    /// True if every arm started in several positions over the launches; `None` with one launch or one arm.
    pub start_order_varies: Option<bool>,
    /// Number of resource limits that were hit.
    pub limits_hit: usize,
    /// The number of launches whose steadiness is known.
    pub steadiness_known: usize,
    /// Number of launches with warnings, failed checks, or late settling.
    pub flagged: usize,
    /// True if each condition with flagged launches has estimates without the flagged launches.
    pub without_flagged: bool,
}
