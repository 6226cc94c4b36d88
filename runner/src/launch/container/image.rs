//! The image of an experiment: our programs, and all that its servers, hops and neighbour need.

use std::path::Path;

use anyhow::{Result, ensure};
use engines::{Image, ImageContents, InstalledProgram};

use crate::launch::installation::Setting;
use crate::program;
use crate::proxies;
use model::{Arm, Experiment, ServerUnderTest};

/// Folder of other people's hooks in the image, each in that of its arm's number.
const PRELOADS: &str = "/preload";

/// Our programs and the hook.
pub(crate) fn own(setting: &Setting) -> Result<ImageContents> {
    let agent = setting.binaries.join("agent");
    ensure!(
        agent.exists(),
        "{} is not there; build it by `cargo xtask build`",
        agent.display()
    );
    Ok(ImageContents::new(&setting.binaries, &setting.hook)?)
}

/// Made of what is built and installed here, and of the experiment's own words.
pub(crate) fn image(experiment: &Experiment, setting: &Setting, words: Option<&Path>) -> Result<Image> {
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
    for arm in &experiment.arms {
        if let (Some(preload), Some(inside)) = (&arm.preload, self::arm(experiment, arm).preload) {
            contents.add_object(&inside.path, &preload.path)?;
        }
    }
    Ok(contents.image()?)
}

/// An arm as it is in the image, where somebody else's hook has another place.
pub(super) fn arm(experiment: &Experiment, arm: &Arm) -> Arm {
    let mut arm = arm.clone();
    let number = experiment.arms.iter().position(|other| other.name == arm.name);
    if let Some(preload) = &mut arm.preload {
        let name = preload.path.file_name().unwrap_or_default();
        let folder = Path::new(PRELOADS).join(number.unwrap_or_default().to_string());
        preload.path = folder.join(name);
    }
    arm
}
