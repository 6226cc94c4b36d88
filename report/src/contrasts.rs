//! The contrasts of a recorded run.

use anyhow::{Context as _, Result};
use model::{Contrast, Experiment, Manifest};

/// The contrasts of a run, in the order of the experiment.
///
/// # Errors
/// When the run was imported from the recordings of others, which have no experiment.
pub(crate) fn contrasts(manifest: &Manifest) -> Result<Vec<Contrast>> {
    Ok(plan(manifest)?.contrasts.clone())
}

/// The experiment of a run.
///
/// # Errors
/// When the run was imported from the recordings of others.
pub(crate) fn plan(manifest: &Manifest) -> Result<&Experiment> {
    manifest.plan.as_ref().with_context(|| {
        format!(
            "manifest.json of {}: `plan` is null; expected the experiment of a measured run",
            manifest.run_id
        )
    })
}
