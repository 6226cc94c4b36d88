//! Contrasts: the pairs of arms that an experiment compares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two arms to compare. The table `[[contrast]]` of a definition describes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contrast {
    /// The contrast's name in tables and figures.
    pub name: String,
    /// The arm that is subtracted.
    pub baseline: String,
    /// The arm from which the baseline is subtracted.
    pub arm: String,
    /// The purpose of the comparison.
    pub role: ContrastRole,
    /// The measure of location by which the two distributions are compared.
    #[serde(default)]
    pub location: Location,
}

/// The purpose of a contrast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContrastRole {
    /// The arms differ in a treatment whose cost is measured.
    Effect,
    /// The arms have the same treatment, so that the true difference is zero.
    Control,
    /// The arms differ by a known delay.
    Calibration,
}

/// A measure of location of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Location {
    /// The median. Pauses of the machine do not move it.
    #[default]
    Median,
    /// The arithmetic mean. Rare delays and pauses of the machine move it.
    Mean,
    /// The mean without the lowest and the highest tenth.
    #[strum(to_string = "trimmed mean")]
    TrimmedMean,
    /// The 99th percentile.
    P99,
}
