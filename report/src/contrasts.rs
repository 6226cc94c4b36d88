//! The contrasts of a recorded run.

use anyhow::{Context as _, Result};
use model::Contrast;
use model::Manifest;

/// The contrasts of a run, in the order of the experiment.
///
/// # Errors
/// When the manifest's plan has none.
pub(crate) fn contrasts(manifest: &Manifest) -> Result<Vec<Contrast>> {
    serde_json::from_value(manifest.plan["contrasts"].clone())
        .context("manifest.json: plan.contrasts: expected a list of {name, baseline, arm, role}")
}
