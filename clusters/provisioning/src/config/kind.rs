//! `clusters/kind/cluster.yaml`: kind's `kind.x-k8s.io/v1alpha4`.

use serde::Deserialize;

use super::{Config, expect};

/// A kind cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Kind {
    kind: String,
    api_version: String,
    /// Its name; the context is `kind-` and this.
    pub name: String,
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    role: Role,
    image: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Role {
    ControlPlane,
    Worker,
}

impl Config for Kind {
    fn check(&self) -> Result<(), String> {
        expect("kind", &self.kind, self.kind == "Cluster", "Cluster")?;
        let version = "kind.x-k8s.io/v1alpha4";
        expect("apiVersion", &self.api_version, self.api_version == version, version)?;
        let roles: Vec<_> = self.nodes.iter().map(|node| node.role).collect();
        let wanted = [Role::ControlPlane, Role::Worker];
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
