//! The costs of loading a hook.

use analysis::{Estimate, EstimateError, estimate};
use dataset::{StartBlock, StartCosts};
use serde::Serialize;

/// The costs that a hook adds to the start of a program, with intervals over blocks of starts.
#[derive(Clone, Debug, Serialize)]
pub struct StartEstimates {
    /// Time from the start to the end of a program that ends at once, ns.
    pub time_ns: Estimate,
    /// Page faults without input or output.
    pub page_faults: Estimate,
    /// Resident memory of a program that waits, bytes.
    pub rss_bytes: Estimate,
    /// Its memory, each shared page divided by the number of its users, bytes.
    pub pss_bytes: Estimate,
    /// Relocations of the shared object.
    pub relocations: u64,
}

impl StartEstimates {
    /// The means over blocks.
    ///
    /// # Errors
    /// With fewer than two blocks.
    #[expect(clippy::cast_precision_loss, reason = "times, bytes and counts far below 2^53")]
    pub fn of(costs: &StartCosts) -> Result<Self, EstimateError> {
        let over_blocks =
            |of: &dyn Fn(&StartBlock) -> f64| estimate(&costs.blocks.iter().map(of).collect::<Vec<f64>>());
        Ok(Self {
            time_ns: over_blocks(&|block| block.time_ns as f64)?,
            page_faults: over_blocks(&|block| block.page_faults as f64 / f64::from(costs.starts_per_block))?,
            rss_bytes: over_blocks(&|block| block.rss_bytes as f64)?,
            pss_bytes: over_blocks(&|block| block.pss_bytes as f64)?,
            relocations: costs.relocations,
        })
    }
}
