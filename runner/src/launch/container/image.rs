//! The image of an experiment: the project's programs, and the files that its servers, proxies and neighbour need.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use engines::{Image, ImageContents, InstalledProgram};

use crate::launch::installation::Installation;
use crate::{program, proxies};
use model::{Experiment, ServerUnderTest};

/// The folder in the image for foreign shared objects, each in a folder named after its arm's index.
const PRELOADS: &str = "/preload";

/// Returns the project's programs and hook as contents of an image.
///
/// # Errors
/// If one was not built.
pub(crate) fn own(setting: &Installation) -> Result<ImageContents> {
    let agent = setting.binaries.join("agent");
    ensure!(
        agent.exists(),
        "{} is not there; build it by `cargo xtask build`",
        agent.display()
    );
    Ok(ImageContents::new(&setting.binaries, &setting.hook)?)
}

/// Builds the image of an experiment from the programs that are built and installed here, and from the compiled `words`.
///
/// # Errors
/// If a program is not installed, or cannot be in an image.
pub(crate) fn image(experiment: &Experiment, setting: &Installation, words: Option<&Path>) -> Result<Image> {
    let mut contents = own(setting)?;
    if let Some(words) = words {
        contents.add_file(Image::WORDS, words);
    }
    if let ServerUnderTest::Command(program) = &experiment.sut {
        program::add_to_image(program, &mut contents)?;
    }
    for proxy in &experiment.proxies {
        proxies::add_to_image(proxy, &mut contents, &setting.binaries)?;
    }
    if let Some(neighbour) = &experiment.neighbour {
        contents.add_program(&InstalledProgram::find(&neighbour.command[0])?)?;
    }
    for (index, arm) in experiment.arms.iter().enumerate() {
        if let (Some(preload), Some(inside)) = (&arm.preload, foreign_object(experiment, index)) {
            contents.add_object(&inside, &preload.path)?;
        }
    }
    Ok(contents.image()?)
}

/// Returns the path in the image of the shared object that an arm of the treatment `preload` loads.
pub(super) fn foreign_object(experiment: &Experiment, arm: usize) -> Option<PathBuf> {
    let preload = experiment.arms[arm].preload.as_ref()?;
    let name = preload.path.file_name().unwrap_or_default();
    Some(Path::new(PRELOADS).join(arm.to_string()).join(name))
}
