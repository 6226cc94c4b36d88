//! The cluster, the pod placement and the image delivery of each condition.

use std::path::{Path, PathBuf};

use engines::Stop;
use engines::kubernetes::{ClusterSettings, ImageDelivery, Kubernetes, PodPlacement, failed};
use model::Condition;

use crate::error::ProvisioningError;
use crate::providers::{EksCluster, KindCluster};

/// The user's options for clusters.
#[derive(Clone, Debug, Default)]
pub struct ClusterSelection {
    /// Context of the conditions `kubernetes-*`; `None` for the kubeconfig's current context.
    pub context: Option<String>,
    /// Namespace; `None` for the context's namespace.
    pub namespace: Option<String>,
    /// Reference of an image, with its digest, that the nodes can pull.
    pub image: Option<String>,
    /// A command that loads an archive of images into all nodes.
    pub load_with: Option<String>,
    /// The project's folder, with `clusters/*/cluster.yaml` and `data/clusters/*.kubeconfig`.
    pub project: PathBuf,
}

impl ClusterSelection {
    /// Connects to the cluster of a condition.
    ///
    /// # Errors
    /// When there is no such cluster; with the command that creates it.
    pub fn engine(&self, condition: Condition, stop: Stop) -> Result<Kubernetes, ProvisioningError> {
        let placement = match condition {
            Condition::Kind | Condition::EksPod | Condition::KubernetesPod => PodPlacement::Pod,
            Condition::KubernetesNode => PodPlacement::Node,
            Condition::EksNodes | Condition::KubernetesNodes => PodPlacement::Nodes,
            Condition::Local(_) | Condition::Docker => {
                return Err(failed(
                    &format!("connect to the cluster of {condition}"),
                    "that condition has no cluster",
                )
                .into());
            }
        };
        let (kubeconfig, context, delivery) = match condition {
            Condition::Kind => {
                let (config, kubeconfig) = self.created("kind")?;
                let delivery = ImageDelivery::Provider(Box::new(KindCluster::new(&config, &kubeconfig)?));
                (Some(kubeconfig), None, delivery)
            }
            Condition::EksPod | Condition::EksNodes => {
                let (config, kubeconfig) = self.created("eks")?;
                let delivery = ImageDelivery::Provider(Box::new(EksCluster::new(&config, &kubeconfig)?));
                (Some(kubeconfig), None, delivery)
            }
            _ => (None, self.context.clone(), self.delivery()?),
        };
        Ok(Kubernetes::connect(ClusterSettings {
            kubeconfig,
            context,
            namespace: self.namespace.clone(),
            placement,
            delivery,
            stop,
        })?)
    }

    fn delivery(&self) -> Result<ImageDelivery, ProvisioningError> {
        Ok(match (&self.image, &self.load_with) {
            (Some(reference), _) => ImageDelivery::Registry(reference.clone()),
            (None, Some(command)) => {
                let words = shlex::split(command).filter(|words| !words.is_empty());
                let reason = "expected a command, with balanced quotes";
                ImageDelivery::Command(words.ok_or_else(|| failed(&format!("run --load-with `{command}`"), reason))?)
            }
            (None, None) => ImageDelivery::Loaded,
        })
    }

    /// Returns configuration and kubeconfig of a cluster that `cluster up` created.
    fn created(&self, name: &str) -> Result<(PathBuf, PathBuf), ProvisioningError> {
        let config = self.project.join("clusters").join(name).join("cluster.yaml");
        let kubeconfig = self.project.join(KUBECONFIGS).join(format!("{name}.kubeconfig"));
        if !kubeconfig.is_file() {
            let reason = format!("it does not exist; create it by `cargo xtask cluster up {name}`");
            return Err(failed(&format!("use the {name} cluster"), reason).into());
        }
        Ok((config, kubeconfig))
    }
}

/// The folder in the project's folder in which `cluster up` writes kubeconfigs.
pub const KUBECONFIGS: &str = "data/clusters";

/// Returns the project's folder: the first of `from` and its ancestors that contains the configurations of clusters, or
/// else `from`.
#[must_use]
pub fn project_folder(from: &Path) -> PathBuf {
    let mut folders = from.ancestors();
    let found = folders.find(|folder| folder.join("clusters/kind/cluster.yaml").is_file());
    found.unwrap_or(from).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_missing_cluster_names_the_command_that_creates_it() {
        let folder = tempfile::tempdir().unwrap();
        let choice = ClusterSelection {
            project: folder.path().to_owned(),
            ..ClusterSelection::default()
        };
        for (condition, command) in [
            (Condition::Kind, "cargo xtask cluster up kind"),
            (Condition::EksNodes, "cargo xtask cluster up eks"),
        ] {
            let Err(error) = choice.engine(condition, Stop::default()) else {
                panic!("{condition} was found")
            };
            assert!(error.to_string().contains(command), "{error}");
        }
    }
}
