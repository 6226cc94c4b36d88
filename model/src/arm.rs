//! Arms: the servers of a launch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::limits::ResourceLimits;
use crate::treatment::{PreloadedObject, Treatment};

/// One server of every launch, with its treatment. The table `[[arm]]` of a definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The arm's name, unique in the experiment.
    pub name: String,
    /// The change to the server.
    pub treatment: Treatment,
    /// Busy wait of the treatment `delay`, ns; none with any other treatment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ns: Option<u64>,
    /// The treatment `delay` delays one payload of this many; none delays every payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_every: Option<u64>,
    /// Whether the hook records each payload that the server receives, for which it reads the clock twice. The treatment
    /// `delay` always records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub records: bool,
    /// Whether the synthetic server stamps its requests; none means as `[sut]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<bool>,
    /// Limits of the arm; the experiment's limits complete them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceLimits>,
    /// The shared object of the treatment `preload`; none with any other treatment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preload: Option<PreloadedObject>,
}

impl Arm {
    /// Returns whether the hook records each payload that the server receives. The calibration needs these records.
    #[must_use]
    pub fn has_records(&self) -> bool {
        self.records || self.treatment == Treatment::Delay
    }

    /// Checks that the keys of the arm fit its treatment.
    ///
    /// # Errors
    /// Names the first key that does not.
    pub fn validate(&self) -> Result<(), ModelError> {
        let delays = self.treatment == Treatment::Delay;
        let error =
            |problem: &str| Err(ModelError::Problem(problem.to_owned()).within(format!("[[arm]] {}", self.name)));
        if delays && self.delay_ns.is_none() {
            return error("the treatment delay needs delay_ns");
        }
        if !delays && self.delay_ns.is_some() {
            return error("delay_ns is only for the treatment delay; remove it");
        }
        if self.delay_every.is_some_and(|every| every == 0 || !delays) {
            return error("delay_every is only for the treatment delay, and at least 1");
        }
        if (self.treatment == Treatment::Preload) != self.preload.is_some() {
            return error(
                "the treatment preload, and only it, needs a table [arm.preload] with the path of a shared object",
            );
        }
        if self.records && self.treatment == Treatment::Unmodified {
            return error("records come from the hook, and an unmodified server has none; remove the key");
        }
        Ok(())
    }
}
