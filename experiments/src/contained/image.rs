//! The image of an experiment: our programs, and all that its servers, hops and neighbour need.

use std::path::Path;

use anyhow::{Result, ensure};
use clusters::{Contents, Image, Installed};

use crate::definition::{Experiment, Sut};
use crate::setting::Setting;

/// Our programs and the hook.
pub(crate) fn own(setting: &Setting) -> Result<Contents> {
    let agent = setting.binaries.join("agent");
    ensure!(
        agent.exists(),
        "{} is not there; build it by `cargo xtask build`",
        agent.display()
    );
    Ok(Contents::new(&setting.binaries, &setting.hook)?)
}

/// Made of what is built and installed here, and of the experiment's own words.
pub(crate) fn image(experiment: &Experiment, setting: &Setting, words: Option<&Path>) -> Result<Image> {
    let mut contents = own(setting)?;
    if let Some(words) = words {
        contents.add_file(Image::WORDS, words);
    }
    if let Sut::Command(program) = &experiment.sut {
        program.add_to(&mut contents)?;
    }
    for hop in &experiment.hops {
        hop.add_to(&mut contents, &setting.binaries)?;
    }
    if let Some(neighbour) = &experiment.neighbour {
        contents.add_program(&Installed::find(&neighbour.command[0])?)?;
    }
    for preload in experiment.arms.iter().filter_map(|arm| arm.preload.as_ref()) {
        contents.add_object(&std::path::absolute(&preload.path)?)?;
    }
    Ok(Image::build(&contents)?)
}
