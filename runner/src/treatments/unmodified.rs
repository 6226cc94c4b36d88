//! The treatment `unmodified`: the server as it is.

use anyhow::Result;

use super::adapter::{Proof, TreatedServer, TreatmentAdapter, TreatmentSite};
use crate::launch::process::ProcessStart;

pub(super) struct Unmodified;

impl TreatmentAdapter for Unmodified {
    fn attach(&self, _: &TreatmentSite, _: &mut ProcessStart) {}

    fn prove_active(&self, _: &TreatmentSite, _: &mut dyn TreatedServer) -> Result<Proof> {
        Ok(Proof::NotNeeded)
    }
}
