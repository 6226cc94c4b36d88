//! An engine that answered, with the image, for all launches of a run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clusters::Condition;
use clusters::container::{Docker, Engine, Stop};
use clusters::kubernetes::{self, Choice};

/// What was found.
pub(crate) struct Ready {
    engine: Box<dyn Engine>,
    /// What a reader should know of it.
    pub(crate) facts: BTreeMap<String, String>,
    /// A checkout with the manifests of the application, where one is measured.
    pub(crate) manifests: Option<PathBuf>,
}

/// How engines are found.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Engines {
    /// Docker's or Podman's socket, as unix:///run/podman/podman.sock [default: DOCKER_HOST, or the one that is there]
    #[arg(long)]
    docker_host: Option<String>,
    /// Context of the conditions kubernetes-* [default: the current one of KUBECONFIG or ~/.kube/config]
    #[arg(long)]
    context: Option<String>,
    /// Namespace in Kubernetes [default: the context's]
    #[arg(long)]
    namespace: Option<String>,
    /// For the conditions kubernetes-*: a command that loads an archive of images into all nodes, as "k3s ctr images import"
    #[arg(long)]
    load_with: Option<String>,
    /// For the conditions kubernetes-*: the image in a registry that the nodes reach, as REGISTRY/NAME@sha256:…
    #[arg(long, conflicts_with = "load_with")]
    image: Option<String>,
    /// For --macro: a checkout of the application's repository, with its manifests
    #[arg(long)]
    manifests: Option<PathBuf>,
}

impl Engines {
    /// Finds a condition's engine.
    pub(crate) fn find(&self, condition: Condition, stop: &Stop) -> Result<Ready> {
        let engine: Box<dyn Engine> = match condition {
            Condition::Docker => Box::new(Docker::connect(self.docker_host.as_deref(), stop.clone())?),
            Condition::Local(place) => bail!("{place} has no engine"),
            other => Box::new(self.choice()?.engine(other, stop.clone())?),
        };
        let facts = engine.facts()?;
        let manifests = self.manifests.clone();
        Ok(Ready {
            engine,
            facts,
            manifests,
        })
    }

    fn choice(&self) -> Result<Choice> {
        Ok(Choice {
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            image: self.image.clone(),
            load_with: self.load_with.clone(),
            project: kubernetes::project(&std::env::current_dir()?),
        })
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
