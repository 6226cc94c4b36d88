//! The pods of a launch, from the same containers that any other engine starts.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, Capabilities, Container, EmptyDirVolumeSource, EnvVar, Pod, PodAffinity, PodAffinityTerm,
    PodAntiAffinity, PodSecurityContext, PodSpec, ResourceRequirements, SeccompProfile, SecurityContext, Volume,
    VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::share::NodeShare;
use crate::container::{ContainerRole, ContainerSpec, Owner};
use crate::image::Image;

/// Where a launch's containers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodPlacement {
    /// All in one pod.
    Pod,
    /// Arms in one pod, the prober in another, on one node.
    Node,
    /// Arms in one pod, the prober in another, on different nodes.
    Nodes,
}

impl PodPlacement {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Node => "node",
            Self::Nodes => "nodes",
        }
    }
}

/// How nodes get the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImagePull {
    /// It was loaded into them.
    Never,
    /// From a registry, by a reference with a digest.
    ByDigest(String),
}

impl ImagePull {
    /// The image's name for the nodes, and when they pull it.
    pub(super) fn image(&self, image: &Image) -> (String, &'static str) {
        match self {
            Self::Never => (image.reference.clone(), "Never"),
            Self::ByDigest(reference) => (reference.clone(), "IfNotPresent"),
        }
    }
}

/// Key of the label that tells a launch's pods apart.
const PART: &str = "hook-latency.part";
const WORK: &str = "work";

/// What all containers of a launch have in common.
#[derive(Clone, Copy, Debug)]
pub struct LaunchPods<'a> {
    /// Where they are.
    pub topology: PodPlacement,
    /// Whose they are.
    pub owner: &'a Owner,
    /// What they run.
    pub image: &'a Image,
    /// How nodes get it.
    pub pull: &'a ImagePull,
    /// What those without limits get.
    pub share: NodeShare,
}

/// The pods of a launch, in the order in which they are to be created.
#[must_use]
pub fn pods(recipe: &LaunchPods<'_>, containers: &[ContainerSpec]) -> Vec<Pod> {
    let LaunchPods { topology, owner, .. } = *recipe;
    let (probing, others): (Vec<_>, Vec<_>) = containers
        .iter()
        .partition(|container| container.role == ContainerRole::LoadGenerator);
    let name = owner.name();
    let pod = |name: &str, part, containers: Vec<_>, affinity| recipe.pod(name, part, &containers, affinity);
    match topology {
        PodPlacement::Pod => vec![pod(&name, "all", containers.iter().collect(), None)],
        PodPlacement::Node | PodPlacement::Nodes => vec![
            pod(&format!("{name}-arms"), "arms", others, None),
            pod(
                &format!("{name}-loadgen"),
                "loadgen",
                probing,
                Some(affinity(topology, owner)),
            ),
        ],
    }
}

/// Puts the prober beside the arms, or apart from them.
fn affinity(topology: PodPlacement, owner: &Owner) -> Affinity {
    let mut labels = owner.labels();
    labels.insert(PART.to_owned(), "arms".to_owned());
    let terms = Some(vec![PodAffinityTerm {
        label_selector: Some(LabelSelector {
            match_labels: Some(labels),
            ..LabelSelector::default()
        }),
        topology_key: "kubernetes.io/hostname".to_owned(),
        ..PodAffinityTerm::default()
    }]);
    if topology == PodPlacement::Node {
        return Affinity {
            pod_affinity: Some(PodAffinity {
                required_during_scheduling_ignored_during_execution: terms,
                ..PodAffinity::default()
            }),
            ..Affinity::default()
        };
    }
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            required_during_scheduling_ignored_during_execution: terms,
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

impl LaunchPods<'_> {
    fn pod(&self, name: &str, part: &str, containers: &[&ContainerSpec], affinity: Option<Affinity>) -> Pod {
        let mut labels = self.owner.labels();
        labels.insert(PART.to_owned(), part.to_owned());
        let user = i64::from(Image::USER);
        Pod {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                labels: Some(labels),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec {
                affinity,
                // Nothing in it talks to the cluster.
                automount_service_account_token: Some(false),
                enable_service_links: Some(false),
                // An end of process 1 is a result, not to be covered up.
                restart_policy: Some("Never".to_owned()),
                termination_grace_period_seconds: Some(1),
                security_context: Some(PodSecurityContext {
                    run_as_non_root: Some(true),
                    run_as_user: Some(user),
                    run_as_group: Some(user),
                    fs_group: Some(user),
                    seccomp_profile: Some(SeccompProfile {
                        type_: "RuntimeDefault".to_owned(),
                        ..SeccompProfile::default()
                    }),
                    ..PodSecurityContext::default()
                }),
                // Each container has a folder of its own, as on any other engine.
                volumes: Some(containers.iter().map(|spec| volume(spec)).collect()),
                containers: containers.iter().map(|spec| self.container(spec)).collect(),
                ..PodSpec::default()
            }),
            ..Pod::default()
        }
    }

    fn container(&self, spec: &ContainerSpec) -> Container {
        // Requests equal to limits: the class that is the last to be evicted, and for which whole processors are exclusive
        // where the node's policy is static.
        let (cpu, memory) = self.share.quantities(spec);
        let amounts = BTreeMap::from([("cpu".to_owned(), cpu), ("memory".to_owned(), memory)]);
        let (image, policy) = self.pull.image(self.image);
        Container {
            name: spec.name.clone(),
            image: Some(image),
            image_pull_policy: Some(policy.to_owned()),
            command: Some(spec.command.clone()),
            env: Some(
                spec.environment
                    .iter()
                    .map(|(name, value)| EnvVar {
                        name: name.clone(),
                        value: Some(value.clone()),
                        ..EnvVar::default()
                    })
                    .collect(),
            ),
            resources: Some(ResourceRequirements {
                requests: Some(amounts.clone()),
                limits: Some(amounts),
                ..ResourceRequirements::default()
            }),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                read_only_root_filesystem: Some(true),
                capabilities: Some(Capabilities {
                    drop: Some(vec!["ALL".to_owned()]),
                    ..Capabilities::default()
                }),
                ..SecurityContext::default()
            }),
            volume_mounts: Some(vec![VolumeMount {
                name: volume_name(spec),
                mount_path: Image::WORK.to_owned(),
                ..VolumeMount::default()
            }]),
            ..Container::default()
        }
    }
}

fn volume_name(spec: &ContainerSpec) -> String {
    format!("{WORK}-{}", spec.name)
}

fn volume(spec: &ContainerSpec) -> Volume {
    Volume {
        name: volume_name(spec),
        empty_dir: Some(EmptyDirVolumeSource {
            medium: Some("Memory".to_owned()),
            ..EmptyDirVolumeSource::default()
        }),
        ..Volume::default()
    }
}
