//! An arm of a launch between its start and the record of the launch.

use anyhow::{Context as _, Result};
use model::{Arm, Target};

use super::backend::PreMeasurementCounts;
use crate::treatments::{Proof, TreatmentAdapter, TreatmentSite};

/// An arm whose server and proxies run.
pub(crate) struct ActiveArm<'a> {
    /// Its index in the experiment.
    pub(super) index: usize,
    pub(super) arm: &'a Arm,
    pub(super) start_order: usize,
    /// The address to which the load generator connects. Before the proxies have started, the address of the server.
    pub(crate) target: Target,
    pub(super) treatment: Box<dyn TreatmentAdapter + 'a>,
    pub(super) site: TreatmentSite,
    pub(super) proof: Proof,
    pub(super) before: PreMeasurementCounts,
    /// True if the treatment must still be detached.
    pub(super) attached: bool,
}

impl ActiveArm<'_> {
    /// Detaches the treatment, once.
    ///
    /// # Errors
    /// If something is left.
    pub(super) fn detach(&mut self) -> Result<()> {
        if std::mem::take(&mut self.attached) {
            let detached = self.treatment.detach(&self.site);
            detached.with_context(|| format!("arm {}", self.arm.name))?;
        }
        Ok(())
    }
}
