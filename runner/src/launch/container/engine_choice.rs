//! The engine of a condition, for all launches of a run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use engines::kubernetes::Kubernetes;
use engines::{Docker, Engine, Stop};
use model::Condition;
use provisioning::{ClusterSelection, project_folder};

/// An engine that answered.
pub(crate) struct ReadyEngine {
    engine: ConditionEngine,
    /// Facts about the engine for the manifest.
    pub(crate) facts: BTreeMap<String, String>,
    /// A checkout with the manifests of the application, where one is measured.
    pub(crate) manifests: Option<PathBuf>,
}

/// The engine of a condition.
enum ConditionEngine {
    Docker(Docker),
    Kubernetes(Kubernetes),
}

/// Options that select engines.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct EngineOptions {
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

impl EngineOptions {
    /// Connects to the engine of a condition.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub(crate) fn find(&self, condition: Condition, stop: &Stop) -> Result<ReadyEngine> {
        let engine = match condition {
            Condition::Docker => ConditionEngine::Docker(Docker::connect(self.docker_host.as_deref(), stop.clone())?),
            Condition::Local(place) => bail!("{place} has no engine"),
            other => ConditionEngine::Kubernetes(self.choice()?.engine(other, stop.clone())?),
        };
        let mut ready = ReadyEngine {
            engine,
            facts: BTreeMap::new(),
            manifests: self.manifests.clone(),
        };
        ready.facts = ready.engine().facts()?;
        Ok(ready)
    }

    fn choice(&self) -> Result<ClusterSelection> {
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
    /// The engine.
    pub(crate) fn engine(&self) -> &dyn Engine {
        match &self.engine {
            ConditionEngine::Docker(docker) => docker,
            ConditionEngine::Kubernetes(cluster) => cluster,
        }
    }

    /// The cluster, if the engine is one.
    pub(crate) fn kubernetes(&self) -> Option<&Kubernetes> {
        match &self.engine {
            ConditionEngine::Docker(_) => None,
            ConditionEngine::Kubernetes(cluster) => Some(cluster),
        }
    }

    /// Removes what an earlier runner of the same run could not.
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
