//! Topologies: the network layouts that the embedded conditions are made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::error::ModelError;

/// A layout of load generator and servers in Linux network namespaces. Serialised by its name, such as `local-pod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case", parse_err_ty = ModelError, parse_err_fn = unknown_topology)]
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
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Returns the topology's name, which is also the name of its condition.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

fn unknown_topology(name: &str) -> ModelError {
    ModelError::unknown_name("topology", name, Topology::ALL.iter().map(|topology| topology.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_to_its_topology() {
        for topology in Topology::ALL {
            assert_eq!(topology.name().parse(), Ok(*topology));
        }
        assert!("docker".parse::<Topology>().is_err());
    }
}
