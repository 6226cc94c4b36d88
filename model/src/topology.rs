//! Topologies: the network layouts that the embedded conditions are made of.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;

/// A layout of load generator and servers in Linux network namespaces. Serialised by its name, such as `local-pod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// One network namespace holds the load generator and the servers, as a pod holds its containers. Packets pass the
    /// loopback device.
    LocalPod,
    /// Load generator and servers have one network namespace each. A bridge in a third namespace joins them, as a
    /// container network joins two containers.
    LocalBridge,
    /// Load generator and servers are in two pods on two nodes. Each node is a further network namespace. VXLAN joins the
    /// nodes, as an overlay network joins the nodes of a cluster.
    LocalNodes,
    /// Like [`Topology::LocalBridge`], but the load generator addresses a service. The bridge's namespace translates
    /// the service's address to the server's address, as a Kubernetes node does.
    LocalService,
}

impl Topology {
    /// All topologies.
    pub const ALL: [Self; 4] = [Self::LocalPod, Self::LocalBridge, Self::LocalNodes, Self::LocalService];

    /// Returns the topology's name, which is also the name of its condition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocalPod => "local-pod",
            Self::LocalBridge => "local-bridge",
            Self::LocalNodes => "local-nodes",
            Self::LocalService => "local-service",
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Topology {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        Self::ALL
            .into_iter()
            .find(|topology| topology.name() == text)
            .ok_or_else(|| ModelError::unknown_name("topology", text, Self::ALL.map(Self::name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_to_its_topology() {
        for topology in Topology::ALL {
            assert_eq!(topology.name().parse(), Ok(topology));
        }
        assert!("docker".parse::<Topology>().is_err());
    }
}
