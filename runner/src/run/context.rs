//! The context of a run: its image in the engines, limits, words.

use std::path::{Path, PathBuf};

use anyhow::Result;
use engines::Image;
use model::{Experiment, LimitEnforcement};

use crate::launch::container;
use crate::launch::installation::Installation;
use crate::run::availability::{ConditionAccess, ConditionAccesses};

/// The image, the programs and the settings that all launches of one run share.
pub(crate) struct RunContext<'a> {
    pub(crate) setting: &'a Installation,
    /// The value of the labels on all resources that the run makes in engines.
    pub(crate) run: String,
    /// The image for conditions in containers.
    pub(crate) image: Option<Image>,
    pub(crate) words: Option<PathBuf>,
    /// The way in which local conditions enforce limits, or the reason why they cannot.
    pub(crate) limits_by: Result<LimitEnforcement, String>,
    /// `Ok` if the runner can keep the processors of this machine out of idle states, otherwise the reason why it
    /// cannot. `None` if the definition does not request it.
    pub(crate) awake: Option<Result<(), String>>,
}

/// Builds the image if a condition needs one. After a failure these conditions are marked as not available.
pub(crate) fn image(
    experiment: &Experiment,
    levels: &mut ConditionAccesses,
    setting: &Installation,
    words: Option<&Path>,
) -> Option<Image> {
    let contained = |access: &Result<ConditionAccess, String>| matches!(access, Ok(ConditionAccess::Engine(_)));
    if !levels.values().any(contained) {
        return None;
    }
    match container::image(experiment, setting, words) {
        Ok(image) => Some(image),
        Err(error) => {
            for access in levels.values_mut().filter(|access| contained(access)) {
                *access = Err(format!("no image can be made: {error:#}"));
            }
            None
        }
    }
}

/// Sets up the engines: removes the leftovers of an earlier runner of the run, and loads the image. After a failure no
/// engine keeps the image.
pub(crate) fn set_up(levels: &ConditionAccesses, setting: &mut RunContext<'_>) -> Result<()> {
    let brought_in = levels.values().try_for_each(|access| -> Result<()> {
        if let (Ok(ConditionAccess::Engine(ready)), Some(image)) = (access, &setting.image) {
            ready.sweep(&setting.run)?;
            ready.engine().load(image)?;
        }
        Ok(())
    });
    if brought_in.is_err() {
        tear_down(levels, setting);
    }
    if let Some(image) = &mut setting.image {
        // The archive of some servers has some hundred megabytes. After this point only the image's name is needed.
        image.archive = Vec::new();
    }
    brought_in
}

/// Removes the image from the engines. An error is only printed, because it must not hide the error of the run.
pub(crate) fn tear_down(levels: &ConditionAccesses, setting: &RunContext<'_>) {
    for access in levels.values() {
        if let (Ok(ConditionAccess::Engine(ready)), Some(image)) = (access, &setting.image)
            && let Err(error) = ready.engine().unload(image)
        {
            eprintln!("{error}; `cargo xtask cluster down` removes what is left");
        }
    }
}
