//! Levels of load: shares of the capacity of the server without a hook.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::invalid_value::require;

/// The factor whose levels are the capacity and the shares of it.
pub const LOAD_FACTOR: &str = "load";
/// The level at which the capacity is measured.
pub const CAPACITY_LEVEL: &str = "capacity";

/// The levels of load of an experiment. The table `[levels]` of a definition describes them. The capacity of each arm is measured
/// first, with a request in progress on every connection. Requests then arrive at random times with rates that are shares of the
/// capacity of the baseline of the A/A control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadLevels {
    /// The shares, above 0 and below 1, in ascending order. The service times of the simulated queue come from the first.
    pub utilisations: Vec<f64>,
    /// Duration for which requests go to one arm before they go to another arm, s.
    pub block_s: f64,
    /// Blocks of each arm in a launch, without warm-up.
    pub blocks: u32,
    /// Blocks of each arm at the start of a launch that are warm-up.
    #[serde(default = "one")]
    pub warm_up_blocks: u32,
    /// The delay of the arm that the calibration compares, as a share of the mean time that the baseline needs for a request at its
    /// capacity.
    pub delay_share: f64,
}

const fn one() -> u32 {
    1
}

impl LoadLevels {
    /// Checks the levels of an experiment with or without an A/A control.
    ///
    /// # Errors
    /// Names the first key whose value is not accepted.
    pub(crate) fn validate(&self, has_control: bool) -> Result<(), ModelError> {
        let found = format!("{:?}", self.utilisations);
        let ascending = self.utilisations.is_sorted_by(|one, next| one < next);
        let shares = self.utilisations.iter().all(|share| *share > 0.0 && *share < 1.0);
        require(
            !self.utilisations.is_empty() && ascending && shares,
            "levels.utilisations",
            found,
            "ascending numbers above 0 and below 1",
        )?;
        let block_s = self.block_s;
        require(
            block_s > 0.0 && block_s <= 60.0,
            "levels.block_s",
            block_s,
            "above 0 and at most 60 s",
        )?;
        for (key, blocks) in [
            ("levels.blocks", self.blocks),
            ("levels.warm_up_blocks", self.warm_up_blocks),
        ] {
            require((1..=1_000).contains(&blocks), key, blocks, "1 to 1000")?;
        }
        let share = self.delay_share;
        require(
            share > 0.0 && share < 0.5,
            "levels.delay_share",
            share,
            "above 0 and below 0.5",
        )?;
        require(
            has_control,
            "levels",
            "no [[contrast]] with the role control",
            "an A/A control, whose baseline is the server without a hook",
        )?;
        Ok(())
    }
}
