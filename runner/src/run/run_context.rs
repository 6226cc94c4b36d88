//! What a run has engaged: engines with its image, limits, words.

use std::path::{Path, PathBuf};

use anyhow::Result;
use engines::Image;
use model::{Experiment, LimitEnforcement};

use crate::launch::container;
use crate::launch::installation::Setting;
use crate::run::availability::{Access, Levels};

/// The setting of one run.
pub(crate) struct Engaged<'a> {
    pub(crate) setting: &'a Setting,
    /// By which what the run makes in engines is known.
    pub(crate) run: String,
    /// For conditions in containers.
    pub(crate) image: Option<Image>,
    pub(crate) words: Option<PathBuf>,
    /// Of local conditions.
    pub(crate) limits_by: Result<LimitEnforcement, String>,
    /// Whether this machine's processors can be kept awake, or why not; none where the definition leaves them as they are.
    pub(crate) awake: Option<Result<(), String>>,
}

/// The image, where a condition needs one. Where it cannot be made, those conditions are not to be had.
pub(crate) fn image(
    experiment: &Experiment,
    levels: &mut Levels,
    setting: &Setting,
    words: Option<&Path>,
) -> Option<Image> {
    let contained = |access: &Result<Access, String>| matches!(access, Ok(Access::Engine(_)));
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

/// Prepares the engines: nothing of an earlier runner, and the image. When it fails, no engine keeps the image.
pub(crate) fn bring_in(levels: &Levels, setting: &mut Engaged<'_>) -> Result<()> {
    let brought_in = levels.values().try_for_each(|access| -> Result<()> {
        if let (Ok(Access::Engine(ready)), Some(image)) = (access, &setting.image) {
            ready.sweep(&setting.run)?;
            ready.engine().load(image)?;
        }
        Ok(())
    });
    if brought_in.is_err() {
        take_out(levels, setting);
    }
    if let Some(image) = &mut setting.image {
        // Some hundred megabytes for some servers, and for each cell of a grid; from here on its name is enough.
        image.archive = Vec::new();
    }
    brought_in
}

/// Leaves the engines as they were; what the run came to is more important than an error here.
pub(crate) fn take_out(levels: &Levels, setting: &Engaged<'_>) {
    for access in levels.values() {
        if let (Ok(Access::Engine(ready)), Some(image)) = (access, &setting.image)
            && let Err(error) = ready.engine().unload(image)
        {
            eprintln!("{error}; `cargo xtask cluster down` removes what is left");
        }
    }
}
