//! Conditions: the places where a launch runs.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::topology::Topology;

/// The place where a launch runs. Serialised by its name, such as `docker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub enum Condition {
    /// Linux namespaces on this machine, in one of the embedded topologies.
    Local(Topology),
    /// One container for each arm and one for the load generator, on a network of their own, made by Docker or Podman.
    Docker,
    /// One pod in a kind cluster.
    Kind,
    /// One pod in Amazon EKS.
    EksPod,
    /// Pods on different nodes of Amazon EKS.
    EksNodes,
    /// One pod in any Kubernetes cluster.
    KubernetesPod,
    /// Two pods on one node of any Kubernetes cluster.
    KubernetesNode,
    /// Pods on different nodes of any Kubernetes cluster.
    KubernetesNodes,
}

impl Condition {
    /// All conditions. A condition's position in this list is part of the seed of its launches: append new conditions
    /// at the end.
    pub const ALL: [Self; 11] = [
        Self::Local(Topology::LocalPod),
        Self::Local(Topology::LocalBridge),
        Self::Local(Topology::LocalNodes),
        Self::Docker,
        Self::Kind,
        Self::EksPod,
        Self::EksNodes,
        Self::KubernetesPod,
        Self::KubernetesNode,
        Self::KubernetesNodes,
        Self::Local(Topology::LocalService),
    ];

    /// Returns the condition's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local(topology) => topology.name(),
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
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        Self::ALL
            .into_iter()
            .find(|condition| condition.name() == text)
            .ok_or_else(|| ModelError::unknown_name("condition", text, Self::ALL.map(Self::name)))
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.name().to_owned()
    }
}

impl TryFrom<String> for Condition {
    type Error = ModelError;

    fn try_from(text: String) -> Result<Self, ModelError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_to_its_condition() {
        for condition in Condition::ALL {
            assert_eq!(condition.name().parse(), Ok(condition));
        }
        let error = "docker-swarm".parse::<Condition>().unwrap_err().to_string();
        assert!(
            error.contains("`docker-swarm`") && error.contains("local-pod, "),
            "{error}"
        );
    }
}
