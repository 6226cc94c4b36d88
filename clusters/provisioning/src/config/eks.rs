//! `clusters/eks/cluster.yaml`: eksctl's `eksctl.io/v1alpha5`, and within it nodeadm's `NodeConfig`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::config_file::{ConfigFile, expect, yaml};

/// An EKS cluster with one group of two nodes in one placement group.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EksConfig {
    api_version: String,
    kind: String,
    metadata: EksMetadata,
    availability_zones: Vec<String>,
    vpc: Vpc,
    managed_node_groups: Vec<NodeGroup>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EksMetadata {
    name: String,
    region: String,
    version: String,
    tags: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vpc {
    nat: Nat,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nat {
    gateway: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NodeGroup {
    name: String,
    ami_family: String,
    instance_type: String,
    spot: bool,
    min_size: u32,
    max_size: u32,
    desired_capacity: u32,
    availability_zones: Vec<String>,
    volume_size: u32,
    volume_type: String,
    #[serde(rename = "disablePodIMDS")]
    disable_pod_imds: bool,
    placement: NodePlacement,
    tags: BTreeMap<String, String>,
    override_bootstrap_command: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NodePlacement {
    group_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NodeConfig {
    api_version: String,
    kind: String,
    spec: NodeSpec,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeSpec {
    kubelet: Kubelet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kubelet {
    config: KubeletConfig,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct KubeletConfig {
    cpu_manager_policy: String,
}

/// The tag of every resource that AWS bills for this project.
pub(crate) const TAG: (&str, &str) = ("project", "hook-latency");

const NODE_PRICE: &str = "hook-latency/node-usd-per-hour";
const CONTROL_PLANE_PRICE: &str = "hook-latency/control-plane-usd-per-hour";

impl EksConfig {
    /// Returns the cluster's name, which is also the name of its placement group and the first part of its repositories'
    /// names.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Returns the AWS region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.metadata.region
    }

    /// Returns the number of nodes.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        self.managed_node_groups
            .iter()
            .map(|group| group.desired_capacity)
            .sum()
    }

    /// Returns a description of the nodes.
    #[must_use]
    pub fn describe_nodes(&self) -> String {
        let group = self.managed_node_groups.iter().map(|group| {
            let NodeGroup {
                desired_capacity,
                instance_type,
                volume_size,
                volume_type,
                ..
            } = group;
            format!("{desired_capacity} nodes {instance_type} with {volume_size} GB of {volume_type} each")
        });
        group.collect::<Vec<_>>().join(", ")
    }

    /// Returns the approximate cost of an hour, US dollars.
    #[must_use]
    pub fn usd_per_hour(&self) -> f64 {
        self.price(CONTROL_PLANE_PRICE) + f64::from(self.nodes()) * self.price(NODE_PRICE)
    }

    fn price(&self, key: &str) -> f64 {
        let price = self.metadata.annotations.get(key).and_then(|price| price.parse().ok());
        // `check` refuses a configuration without prices.
        price.unwrap_or(f64::NAN)
    }

    fn check_group(&self, group: &NodeGroup) -> Result<(), String> {
        let NodeGroup {
            ami_family, spot, tags, ..
        } = group;
        let key = |field: &str| format!("managedNodeGroups[{}].{field}", group.name);
        let family = "AmazonLinux2023";
        expect(&key("amiFamily"), ami_family, ami_family == family, family)?;
        expect(
            &key("spot"),
            spot,
            !spot,
            "false: the loss of a node ends the experiment",
        )?;
        let sizes = (group.min_size, group.max_size, group.desired_capacity);
        let name = key("{minSize,maxSize,desiredCapacity}");
        expect(&name, sizes, sizes == (2, 2, 2), "2 each")?;
        let zones = &group.availability_zones;
        let one = zones.len() == 1 && self.availability_zones.contains(&zones[0]);
        expect(&key("availabilityZones"), zones, one, "one of the cluster's")?;
        let placed = &group.placement.group_name;
        expect(
            &key("placement.groupName"),
            placed,
            *placed == self.metadata.name,
            "the cluster's name",
        )?;
        let imds = group.disable_pod_imds;
        expect(
            &key("disablePodIMDS"),
            imds,
            imds,
            "true: pods need no credentials of the node",
        )?;
        expect(&key("tags"), tags, tagged(tags), "project: hook-latency among them")?;
        let node: NodeConfig = yaml(&group.override_bootstrap_command)
            .map_err(|error| format!("{}: {error}", key("overrideBootstrapCommand")))?;
        let is = (node.api_version.as_str(), node.kind.as_str());
        let wanted = ("node.eks.aws/v1alpha1", "NodeConfig");
        let name = key("overrideBootstrapCommand");
        expect(&name, is, is == wanted, "node.eks.aws/v1alpha1, NodeConfig")?;
        let policy = node.spec.kubelet.config.cpu_manager_policy;
        let name = key("overrideBootstrapCommand: spec.kubelet.config.cpuManagerPolicy");
        expect(
            &name,
            &policy,
            policy == "static",
            "static: the load generator gets exclusive processors",
        )
    }
}

fn tagged(tags: &BTreeMap<String, String>) -> bool {
    tags.get(TAG.0).is_some_and(|value| value == TAG.1)
}

impl ConfigFile for EksConfig {
    fn check(&self) -> Result<(), String> {
        let version = "eksctl.io/v1alpha5";
        expect("apiVersion", &self.api_version, self.api_version == version, version)?;
        expect("kind", &self.kind, self.kind == "ClusterConfig", "ClusterConfig")?;
        let EksMetadata { version, tags, .. } = &self.metadata;
        let minor = version
            .strip_prefix("1.")
            .is_some_and(|minor| minor.parse::<u32>().is_ok());
        expect("metadata.version", version, minor, "a version, \"1.34\"")?;
        expect("metadata.tags", tags, tagged(tags), "project: hook-latency among them")?;
        for key in [NODE_PRICE, CONTROL_PLANE_PRICE] {
            let annotation = format!("metadata.annotations.{key}");
            let value = self.metadata.annotations.get(key);
            let price = self.price(key);
            expect(
                &annotation,
                value,
                price.is_finite() && price >= 0.0,
                "US dollars per hour, \"0.35\"",
            )?;
        }
        let zones = &self.availability_zones;
        expect("availabilityZones", zones, zones.len() == 2, "two")?;
        let gateway = &self.vpc.nat.gateway;
        expect(
            "vpc.nat.gateway",
            gateway,
            gateway == "Disable",
            "Disable: AWS bills a gateway, and the experiment needs none",
        )?;
        let groups = self.managed_node_groups.len();
        expect(
            "managedNodeGroups",
            groups,
            groups == 1,
            "one group, so that all nodes are of one type",
        )?;
        self.managed_node_groups
            .iter()
            .try_for_each(|group| self.check_group(group))
    }
}
