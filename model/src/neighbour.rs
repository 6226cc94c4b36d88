//! Neighbours: programs that compete with the servers for the machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::invalid_value::require;
use crate::limits::ResourceLimits;

/// A program that runs beside the servers and the load generator of a launch, like another tenant of the machine. The
/// table `[neighbour]` of a definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// A program that runs until it is killed, and its arguments.
    pub command: Vec<String>,
    /// The processors on which it runs.
    #[serde(default)]
    pub cpus: NeighbourCpus,
    /// The limits of its control group. They can be the dose of its disturbance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceLimits>,
}

/// The processors on which a neighbour runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NeighbourCpus {
    /// The servers' processor.
    #[default]
    Arms,
    /// The load generator's processor.
    Loadgen,
    /// All processors that the runner may use.
    All,
}

impl Neighbour {
    /// Checks that there is a command.
    ///
    /// # Errors
    /// When there is none.
    pub fn validate(&self) -> Result<(), ModelError> {
        let expected = "a program and its arguments";
        Ok(require(
            !self.command.is_empty(),
            "neighbour.command",
            "empty",
            expected,
        )?)
    }
}
