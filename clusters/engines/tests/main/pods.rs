//! The pods of a launch as sent to the API server: snapshots, and properties of every pod.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use engines::kubernetes::{ImagePull, LaunchPods, NodeShare, PodPlacement, pods};
use engines::{ContainerLimits, ContainerRole, ContainerSpec, Image, Owner};
use k8s_openapi::api::core::v1::Pod;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn launch(placement: PodPlacement, pull: &ImagePull) -> Vec<Pod> {
    let container = |name: &str, role, millicores| ContainerSpec {
        name: name.to_owned(),
        role,
        command: vec![Image::AGENT.to_owned(), "idle".to_owned()],
        environment: BTreeMap::from([("READHOOK_MODE".to_owned(), "off".to_owned())]),
        limits: ContainerLimits {
            millicores,
            memory_bytes: Some(128 << 20),
        },
    };
    let containers = [
        container("unmodified", ContainerRole::Arm, Some(200)),
        container("scan", ContainerRole::Arm, None),
        container("loadgen", ContainerRole::LoadGenerator, None),
    ];
    let owner = Owner {
        run: "2026-11-24-small".to_owned(),
        launch: 7,
    };
    let image = Image {
        reference: "hook-latency:6f1c0d9a2b34".to_owned(),
        archive: Vec::new(),
    };
    let recipe = LaunchPods {
        placement,
        owner: &owner,
        image: &image,
        pull,
        share: NodeShare::default(),
    };
    pods(&recipe, &containers)
}

fn shown(pods: &[Pod]) -> String {
    let documents = pods.iter().map(|pod| serde_saphyr::to_string(pod).unwrap());
    documents.collect::<Vec<_>>().join("---\n")
}

/// Reads a manifest. An unknown field, a wrong type or a missing field is an error with its path.
fn strict<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    let mut unknown = Vec::new();
    let read = serde_ignored::deserialize(value, |path| unknown.push(path.to_string()));
    let read = read.map_err(|error: serde_json::Error| error.to_string())?;
    if unknown.is_empty() {
        return Ok(read);
    }
    Err(format!("unknown: {}", unknown.join(", ")))
}

#[test]
fn pods_equal_their_recorded_manifests() {
    let digest = ImagePull::ByDigest("registry.example/hook-latency/image@sha256:0123".to_owned());
    for (placement, pull) in [
        (PodPlacement::Pod, &ImagePull::Never),
        (PodPlacement::Node, &digest),
        (PodPlacement::Nodes, &ImagePull::Never),
    ] {
        let made = launch(placement, pull);
        let name = format!("tests/main/manifests/{}.yaml", placement.name());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        let recorded = fs::read_to_string(&path).unwrap_or_default();
        if std::env::var_os("UPDATE_MANIFESTS").is_some() {
            fs::write(&path, shown(&made)).unwrap();
            continue;
        }
        assert!(
            shown(&made) == recorded,
            "the pods of the placement {} have changed; UPDATE_MANIFESTS=1 writes {name} anew",
            placement.name()
        );
        let documents: Vec<Value> = serde_saphyr::from_multiple(&recorded).unwrap();
        let read: Vec<Pod> = documents.iter().map(|document| strict(document).unwrap()).collect();
        assert_eq!(read, made);
    }
}

#[test]
fn a_field_that_kubernetes_does_not_know_is_an_error() {
    let mut manifest = serde_json::to_value(&launch(PodPlacement::Pod, &ImagePull::Never)[0]).unwrap();
    manifest["spec"]["containers"][1]["imagePullPolice"] = "Never".into();
    assert_eq!(
        strict::<Pod>(&manifest),
        Err("unknown: spec.?.containers.?.1.imagePullPolice".into())
    );
    manifest["spec"]["containers"][1] = serde_json::json!({ "name": 3 });
    assert!(strict::<Pod>(&manifest).is_err());
}

#[test]
fn every_pod_is_guaranteed_and_has_no_rights() {
    for placement in [PodPlacement::Pod, PodPlacement::Node, PodPlacement::Nodes] {
        let made = launch(placement, &ImagePull::Never);
        assert_eq!(made.len(), if placement == PodPlacement::Pod { 1 } else { 2 });
        for pod in made {
            let spec = pod.spec.unwrap();
            assert_eq!(spec.automount_service_account_token, Some(false));
            let security = spec.security_context.unwrap();
            assert_eq!(security.run_as_non_root, Some(true));
            assert_eq!(security.seccomp_profile.unwrap().type_, "RuntimeDefault");
            for container in spec.containers {
                let resources = container.resources.unwrap();
                assert!(resources.limits.as_ref().is_some_and(|limits| limits.len() == 2));
                assert_eq!(resources.limits, resources.requests);
                let security = container.security_context.unwrap();
                assert_eq!(security.capabilities.unwrap().drop.unwrap(), ["ALL"]);
                assert_eq!(security.allow_privilege_escalation, Some(false));
                assert_eq!(security.read_only_root_filesystem, Some(true));
            }
        }
    }
}
