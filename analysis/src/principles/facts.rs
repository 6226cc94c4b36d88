//! What the checklist is computed from.

use std::collections::BTreeMap;

use crate::claims::{ControlKind, Verdict};

/// One contrast in one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectFact {
    /// Its name and condition.
    pub name: String,
    /// Whether it has a finite 95 % interval over launches.
    pub interval: bool,
    /// Whether the tail is told, too: the difference of 99th percentiles.
    pub tail: bool,
}

/// One control in one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlFact {
    /// Which.
    pub kind: ControlKind,
    /// Where.
    pub condition: String,
    /// Whether it held.
    pub verdict: Verdict,
}

/// What manifest and data say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// The question that the experiment asks.
    pub question: Option<String>,
    /// What is compared: contrasts with their location.
    pub metrics: Vec<String>,
    /// Parts of the plan that make the workload, and what they say.
    pub workload: Vec<(&'static str, Option<String>)>,
    /// Launches by condition that ran.
    pub launches: BTreeMap<String, usize>,
    /// Treatments that were compared.
    pub treatments: usize,
    /// Order of the requests.
    pub schedule: Option<String>,
    /// Hardware, software and place, and what the manifest says of each.
    pub setup: Vec<(&'static str, Option<String>)>,
    /// Git revision of the tools.
    pub revision: Option<String>,
    /// Files of the run.
    pub files: usize,
    /// Those of them, named by launches, whose checksum the manifest does not have.
    pub unchecked_files: Vec<String>,
    /// Contrasts.
    pub effects: Vec<EffectFact>,
    /// Controls.
    pub controls: Vec<ControlFact>,
    /// Columns that hold times.
    pub time_columns: Vec<String>,
    /// Conditions that somebody is paid for.
    pub paid_conditions: Vec<String>,
    /// What they cost.
    pub cost: Option<String>,
    /// Whether every arm started in several positions over the launches; `None` with one launch or one arm.
    pub start_order_varies: Option<bool>,
    /// Resource limits that were hit.
    pub limits_hit: usize,
    /// Launches of which it is known whether they settled.
    pub steadiness_known: usize,
    /// Launches with warnings, failed checks, or late settling.
    pub flagged: usize,
    /// Whether estimates without these launches stand beside the others, where there are such.
    pub without_flagged: bool,
}
