//! Which cluster, topology and way of delivery each condition means.

use std::path::{Path, PathBuf};

use engines::Stop;
use engines::kubernetes::{ClusterSettings, ImageDelivery, Kubernetes, PodPlacement, failed};
use model::Condition;

use crate::error::ProvisioningError;
use crate::providers::{EksCluster, KindCluster};

/// What a user may say about clusters.
#[derive(Clone, Debug, Default)]
pub struct ClusterSelection {
    /// Context of the conditions `kubernetes-*`; the kubeconfig's current one if none.
    pub context: Option<String>,
    /// Namespace; the context's if none.
    pub namespace: Option<String>,
    /// An image by digest that the nodes can pull.
    pub image: Option<String>,
    /// A command that loads an archive of images into all nodes.
    pub load_with: Option<String>,
    /// The project's folder, in which `clusters/*/cluster.yaml` and `data/clusters/*.kubeconfig` are.
    pub project: PathBuf,
}

impl ClusterSelection {
    /// Connects to the cluster of a condition.
    ///
    /// # Errors
    /// When there is none, with the command that makes it.
    pub fn engine(&self, condition: Condition, stop: Stop) -> Result<Kubernetes, ProvisioningError> {
        let topology = match condition {
            Condition::Kind | Condition::EksPod | Condition::KubernetesPod => PodPlacement::Pod,
            Condition::KubernetesNode => PodPlacement::Node,
            Condition::EksNodes | Condition::KubernetesNodes => PodPlacement::Nodes,
            Condition::Local(_) | Condition::Docker => {
                return Err(failed(&format!("be {condition}"), "that condition needs no cluster").into());
            }
        };
        let (kubeconfig, context, delivery) = match condition {
            Condition::Kind => {
                let (config, kubeconfig) = self.made("kind")?;
                let delivery = ImageDelivery::Provider(Box::new(KindCluster::new(&config, &kubeconfig)?));
                (Some(kubeconfig), None, delivery)
            }
            Condition::EksPod | Condition::EksNodes => {
                let (config, kubeconfig) = self.made("eks")?;
                let delivery = ImageDelivery::Provider(Box::new(EksCluster::new(&config, &kubeconfig)?));
                (Some(kubeconfig), None, delivery)
            }
            _ => (None, self.context.clone(), self.delivery()),
        };
        Ok(Kubernetes::connect(ClusterSettings {
            kubeconfig,
            context,
            namespace: self.namespace.clone(),
            topology,
            delivery,
            stop,
        })?)
    }

    fn delivery(&self) -> ImageDelivery {
        match (&self.image, &self.load_with) {
            (Some(reference), _) => ImageDelivery::Registry(reference.clone()),
            (None, Some(command)) => ImageDelivery::Command(command.split_whitespace().map(str::to_owned).collect()),
            (None, None) => ImageDelivery::Loaded,
        }
    }

    /// Config and kubeconfig of a cluster that `cluster up` made.
    fn made(&self, name: &str) -> Result<(PathBuf, PathBuf), ProvisioningError> {
        let config = self.project.join("clusters").join(name).join("cluster.yaml");
        let kubeconfig = self.project.join(KUBECONFIGS).join(format!("{name}.kubeconfig"));
        if !kubeconfig.is_file() {
            let reason = format!("it is not up; bring it up by `cargo xtask cluster up {name}`");
            return Err(failed(&format!("use the {name} cluster"), reason).into());
        }
        Ok((config, kubeconfig))
    }
}

/// Where `cluster up` has the kubeconfigs of its clusters written, from the project's folder.
pub const KUBECONFIGS: &str = "data/clusters";

/// The project's folder, where this one or one above it is that.
#[must_use]
pub fn project(from: &Path) -> PathBuf {
    let mut folders = from.ancestors();
    let found = folders.find(|folder| folder.join("clusters/kind/cluster.yaml").is_file());
    found.unwrap_or(from).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_is_not_up_is_named_with_the_command_that_makes_it() {
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
