//! The engine of a condition, for all launches of a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Result, bail};
use engines::kubernetes::Kubernetes;
use engines::{Docker, Engine, Stop};
use model::Condition;
use provisioning::{ClusterSelection, project_folder};

/// An engine that answered.
pub(crate) struct ReadyEngine {
    engine: Rc<dyn Engine>,
    /// The cluster, if the engine is one.
    pub(crate) cluster: Option<Rc<Kubernetes>>,
    /// Facts about the engine for the manifest.
    pub(crate) facts: BTreeMap<String, String>,
    /// A checkout with the manifests of the application, if one is measured.
    pub(crate) manifests: Option<PathBuf>,
}

/// Options that select engines.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct EngineOptions {
    /// Socket of Docker or Podman, as unix:///run/podman/podman.sock [default: DOCKER_HOST, or the socket that exists]
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

impl EngineOptions {
    /// Connects to the engine of a condition.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub(crate) fn find(&self, condition: Condition, stop: &Stop) -> Result<ReadyEngine> {
        let cluster = match condition {
            Condition::Docker => None,
            Condition::Local(place) => bail!("{place} has no engine"),
            other => Some(Rc::new(self.clusters()?.engine(other, stop.clone())?)),
        };
        let engine: Rc<dyn Engine> = match &cluster {
            Some(cluster) => Rc::<Kubernetes>::clone(cluster),
            None => Rc::new(Docker::connect(self.docker_host.as_deref(), stop.clone())?),
        };
        Ok(ReadyEngine {
            facts: engine.facts()?,
            engine,
            cluster,
            manifests: self.manifests.clone(),
        })
    }

    fn clusters(&self) -> Result<ClusterSelection> {
        Ok(ClusterSelection {
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            image: self.image.clone(),
            load_with: self.load_with.clone(),
            project: project_folder(&std::env::current_dir()?),
        })
    }
}

impl ReadyEngine {
    /// Returns the engine.
    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Removes the leftovers of an earlier, killed runner of the same run.
    ///
    /// # Errors
    /// If the engine does not answer, or refuses.
    pub(crate) fn sweep(&self, run: &str) -> Result<()> {
        for leftover in self.engine().leftovers(Some(run))? {
            self.engine().remove(&leftover)?;
            eprintln!(
                "removed {} {}, which a killed run had left",
                leftover.kind, leftover.name
            );
        }
        Ok(())
    }
}
