//! An engine that answered, with the image, for all launches of a run.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use clusters::container::{Docker, Engine, Stop};
use clusters::{Condition, Image};

use super::asked;

/// What was found.
pub(crate) struct Ready {
    engine: Box<dyn Engine>,
    /// What a reader should know of it.
    pub(crate) facts: BTreeMap<String, String>,
}

/// How engines are found.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Engines {
    /// Docker's or Podman's socket, as unix:///run/podman/podman.sock [default: DOCKER_HOST, or the one that is there]
    #[arg(long)]
    docker_host: Option<String>,
}

impl Engines {
    /// Conditions in containers that this version drives.
    pub(crate) const DRIVEN: [Condition; 1] = [Condition::Docker];

    /// Finds a condition's engine.
    pub(crate) fn find(&self, condition: Condition, stop: &Stop) -> Result<Ready> {
        let engine: Box<dyn Engine> = match condition {
            Condition::Docker => Box::new(Docker::connect(self.docker_host.as_deref(), stop.clone())?),
            other => bail!("{other} is not driven by this version"),
        };
        let facts = engine.facts()?;
        Ok(Ready { engine, facts })
    }
}

impl Ready {
    /// The engine.
    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Removes what an earlier runner of the same run could not.
    pub(crate) fn sweep(&self, run: &str) -> Result<()> {
        for leftover in self.engine.leftovers(Some(run))? {
            self.engine.remove(&leftover)?;
            eprintln!(
                "removed {} {}, which a killed run had left",
                leftover.kind, leftover.name
            );
        }
        Ok(())
    }
}

/// The image of the programs in a folder.
pub(crate) fn image(binaries: &Path, hook: &Path) -> Result<Image> {
    asked::beside(binaries)?;
    Ok(Image::build(binaries, hook)?)
}
