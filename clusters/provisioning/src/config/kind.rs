//! `clusters/kind/cluster.yaml`: kind's `kind.x-k8s.io/v1alpha4`.

use serde::Deserialize;

use super::config_file::{ConfigFile, expect};

/// A kind cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KindConfig {
    kind: String,
    api_version: String,
    /// The cluster's name; the context is `kind-` followed by the name.
    pub name: String,
    nodes: Vec<KindNode>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindNode {
    role: KindNodeRole,
    image: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KindNodeRole {
    ControlPlane,
    Worker,
}

impl ConfigFile for KindConfig {
    fn check(&self) -> Result<(), String> {
        expect("kind", &self.kind, self.kind == "Cluster", "Cluster")?;
        let version = "kind.x-k8s.io/v1alpha4";
        expect("apiVersion", &self.api_version, self.api_version == version, version)?;
        let roles: Vec<_> = self.nodes.iter().map(|node| node.role).collect();
        let wanted = [KindNodeRole::ControlPlane, KindNodeRole::Worker];
        expect("nodes", &roles, roles == wanted, "a control plane and a worker")?;
        for (index, node) in self.nodes.iter().enumerate() {
            let digest = node.image.split_once("@sha256:").map(|(_, digest)| digest);
            let pinned = digest.is_some_and(|digest| {
                digest.len() == 64
                    && digest
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            });
            let key = format!("nodes[{index}].image");
            expect(&key, &node.image, pinned, "an image with its digest, NAME@sha256:…")?;
        }
        Ok(())
    }
}
