//! The treatment `preload`: a shared object that is not part of the project.

use anyhow::{Context as _, Result};
use model::PreloadedObject;

use super::adapter::{Proof, TreatedServer, TreatmentAdapter, TreatmentSite};
use crate::launch::process::ProcessStart;

pub(super) struct ForeignObject<'a> {
    pub(super) preload: &'a PreloadedObject,
}

impl TreatmentAdapter for ForeignObject<'_> {
    fn attach(&self, site: &TreatmentSite, start: &mut ProcessStart) {
        if let Some(object) = &site.foreign_object {
            start.environment.push(("LD_PRELOAD".to_owned(), object.into()));
        }
        let variables = self.preload.environment.iter();
        let variables = variables.map(|(name, value)| (name.clone(), value.into()));
        start.environment.extend(variables);
    }

    fn prove_active(&self, site: &TreatmentSite, server: &mut dyn TreatedServer) -> Result<Proof> {
        let object = site
            .foreign_object
            .as_deref()
            .context("the server has no foreign object")?;
        server.require_mapped(object)?;
        Ok(Proof::Mapped)
    }
}
