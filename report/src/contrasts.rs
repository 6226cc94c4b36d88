//! The contrasts of a recorded run.

use analysis::Location;
use anyhow::{Context as _, Result};
use dataset::Manifest;
use serde::{Deserialize, Serialize};

/// Why two arms are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The cost of something.
    Effect,
    /// Two arms of the same treatment.
    Control,
    /// A known delay.
    Calibration,
}

/// Two arms to compare, as the experiment defines them.
#[derive(Clone, Debug, Deserialize)]
pub struct Contrast {
    /// Name in tables and figures.
    pub name: String,
    /// What is subtracted.
    pub baseline: String,
    /// From what.
    pub arm: String,
    /// Why.
    pub role: Role,
    /// What of the two distributions is compared.
    #[serde(default = "median")]
    pub location: Location,
}

const fn median() -> Location {
    Location::Median
}

/// The contrasts of a run, in the order of the experiment.
///
/// # Errors
/// When the manifest's plan has none.
pub(crate) fn contrasts(manifest: &Manifest) -> Result<Vec<Contrast>> {
    serde_json::from_value(manifest.plan["contrasts"].clone())
        .context("manifest.json: plan.contrasts: expected a list of {name, baseline, arm, role}")
}
