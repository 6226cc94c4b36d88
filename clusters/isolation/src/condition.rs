//! Names of the conditions: where an experiment can be measured.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::place::Place;

/// Where an experiment is measured. Serialised by name, such as `docker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Condition {
    /// Linux namespaces on this machine.
    Local(Place),
    /// A container per arm and one for the prober, on a network of their own, by Docker or Podman.
    Docker,
    /// One pod in a kind cluster.
    Kind,
    /// One pod on EKS.
    EksPod,
    /// Pods on different nodes of EKS.
    EksNodes,
    /// One pod in any Kubernetes.
    KubernetesPod,
    /// Two pods on one node of any Kubernetes.
    KubernetesNode,
    /// Pods on different nodes of any Kubernetes.
    KubernetesNodes,
}

impl Condition {
    /// All conditions. Their order is part of each launch's seed: new ones go to the end.
    pub const ALL: [Self; 11] = [
        Self::Local(Place::LocalPod),
        Self::Local(Place::LocalBridge),
        Self::Local(Place::LocalNodes),
        Self::Docker,
        Self::Kind,
        Self::EksPod,
        Self::EksNodes,
        Self::KubernetesPod,
        Self::KubernetesNode,
        Self::KubernetesNodes,
        Self::Local(Place::LocalService),
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local(place) => place.name(),
            Self::Docker => "docker",
            Self::Kind => "kind",
            Self::EksPod => "eks-pod",
            Self::EksNodes => "eks-nodes",
            Self::KubernetesPod => "kubernetes-pod",
            Self::KubernetesNode => "kubernetes-node",
            Self::KubernetesNodes => "kubernetes-nodes",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|condition| condition.name() == text)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|condition| condition.name()).collect();
                format!("no condition `{text}`; expected one of {}", names.join(", "))
            })
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.name().to_owned()
    }
}

impl TryFrom<String> for Condition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_differ() {
        for condition in Condition::ALL {
            assert_eq!(condition.name().parse(), Ok(condition));
        }
        assert!("docker-swarm".parse::<Condition>().is_err());
    }
}
