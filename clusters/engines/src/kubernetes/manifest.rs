//! The pods of a launch, made from the container specifications that every engine starts.

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

/// The placement of a launch's containers in pods and nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodPlacement {
    /// All containers in one pod.
    Pod,
    /// Arms in one pod, the load generator in another, both on one node.
    Node,
    /// Arms in one pod, the load generator in another, on different nodes.
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

/// The way by which nodes get the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImagePull {
    /// The image was loaded into the nodes.
    Never,
    /// Nodes pull it from a registry by a reference with a digest.
    ByDigest(String),
}

impl ImagePull {
    /// Returns the name under which nodes know the image, and its pull policy.
    pub(super) fn image(&self, image: &Image) -> (String, &'static str) {
        match self {
            Self::Never => (image.reference.clone(), "Never"),
            Self::ByDigest(reference) => (reference.clone(), "IfNotPresent"),
        }
    }
}

/// Key of the label that distinguishes the pods of a launch.
const PART: &str = "hook-latency.part";
/// The first part of a volume's name. The name of the container follows.
const WORK: &str = "work";

/// The settings that all pods of a launch share.
#[derive(Clone, Copy, Debug)]
pub struct LaunchPods<'a> {
    /// The placement of the containers.
    pub placement: PodPlacement,
    /// The owner of the pods.
    pub owner: &'a Owner,
    /// The image of all containers.
    pub image: &'a Image,
    /// The way by which nodes get the image.
    pub pull: &'a ImagePull,
    /// The share of a node for containers without limits.
    pub share: NodeShare,
}

/// Returns the pods of a launch, in the order of their creation.
#[must_use]
pub fn pods(launch: &LaunchPods<'_>, containers: &[ContainerSpec]) -> Vec<Pod> {
    let LaunchPods { placement, owner, .. } = *launch;
    let (load_generators, others): (Vec<_>, Vec<_>) = containers
        .iter()
        .partition(|container| container.role == ContainerRole::LoadGenerator);
    let name = owner.name();
    let pod = |name: &str, part, containers: Vec<_>, affinity| launch.pod(name, part, &containers, affinity);
    match placement {
        PodPlacement::Pod => vec![pod(&name, "all", containers.iter().collect(), None)],
        PodPlacement::Node | PodPlacement::Nodes => vec![
            pod(&format!("{name}-arms"), "arms", others, None),
            pod(
                &format!("{name}-loadgen"),
                "loadgen",
                load_generators,
                Some(affinity(placement, owner)),
            ),
        ],
    }
}

/// Returns the affinity that puts the load generator on the node of the arms, or on another one.
fn affinity(placement: PodPlacement, owner: &Owner) -> Affinity {
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
    if placement == PodPlacement::Node {
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
                // No container of the pod uses the API of the cluster.
                automount_service_account_token: Some(false),
                enable_service_links: Some(false),
                // The end of process 1 is a result. A restart would hide it.
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
                // Each container has a work folder of its own, as with every engine.
                volumes: Some(containers.iter().map(|spec| volume(spec)).collect()),
                containers: containers.iter().map(|spec| self.container(spec)).collect(),
                ..PodSpec::default()
            }),
            ..Pod::default()
        }
    }

    fn container(&self, spec: &ContainerSpec) -> Container {
        // Requests equal limits, so that the pod's quality of service is Guaranteed. Such pods are evicted last. On
        // nodes whose CPU manager has the policy static, they have whole processors to themselves.
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
