//! The Kubernetes engine with a real cluster: pod placements, streams, and failures.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use engines::kubernetes::{ImageDelivery, PodPlacement};
use engines::{
    ContainerLimits, ContainerRole, ContainerSpec, ContainerState, Engine, EngineError, Image, OutputListener, Owner,
    Stop,
};
use sha2::{Digest as _, Sha256};

use super::test_cluster::{CuttingProxy, TestCluster};

fn owner() -> Owner {
    Owner {
        run: "test".to_owned(),
        launch: 0,
    }
}

/// Two arms without servers, and a load generator.
fn containers() -> Vec<ContainerSpec> {
    let container = |name: &str, role| ContainerSpec {
        name: name.to_owned(),
        role,
        command: vec![Image::AGENT.to_owned(), "idle".to_owned()],
        environment: BTreeMap::new(),
        limits: ContainerLimits {
            millicores: Some(100),
            memory_bytes: Some(64 << 20),
        },
    };
    vec![
        container("one", ContainerRole::Arm),
        container("two", ContainerRole::Arm),
        container("loadgen", ContainerRole::LoadGenerator),
    ]
}

/// Receives an exported file and acknowledges it when it is complete.
#[derive(Default)]
struct ExportReceiver {
    header: Option<(usize, String)>,
    bytes: Vec<u8>,
}

impl OutputListener for ExportReceiver {
    fn receive(&mut self, stdout: &[u8]) -> io::Result<Vec<u8>> {
        self.bytes.extend_from_slice(stdout);
        if self.header.is_none()
            && let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n')
        {
            let header: serde_json::Value = serde_json::from_slice(&self.bytes[..end])?;
            let length = usize::try_from(header["bytes"].as_u64().unwrap()).unwrap();
            self.header = Some((length, header["sha256"].as_str().unwrap().to_owned()));
            self.bytes.drain(..=end);
        }
        let whole = self
            .header
            .as_ref()
            .is_some_and(|(length, _)| self.bytes.len() == *length);
        Ok(if whole { b"received\n".to_vec() } else { Vec::new() })
    }
}

#[test]
fn each_pod_placement_puts_containers_where_it_says() {
    let Some(cluster) = TestCluster::create("topology") else {
        return;
    };
    for topology in [PodPlacement::Pod, PodPlacement::Node, PodPlacement::Nodes] {
        let engine = cluster.engine(topology);
        let facts = engine.facts().unwrap();
        assert!(
            facts["engine"].starts_with("Kubernetes v") && facts["topology"] == topology.name(),
            "{facts:?}"
        );
        let running = engine.start(&owner(), &cluster.image, &containers()).unwrap();
        let placed: Vec<_> = ["one", "two", "loadgen"]
            .map(|name| running.placement(name).unwrap())
            .into();
        assert!(
            placed.iter().all(|facts| facts["qos_class"] == "Guaranteed"),
            "{placed:?}"
        );
        assert_eq!(placed[0]["pod"], placed[1]["pod"]);
        assert_eq!(
            placed[0]["node"] == placed[2]["node"],
            topology != PodPlacement::Nodes,
            "{placed:?}"
        );
        assert_eq!(placed[0]["pod"] == placed[2]["pod"], topology == PodPlacement::Pod);
        let addresses = ["one", "two", "loadgen"].map(|name| running.address(name).unwrap());
        assert_eq!(addresses[0] == addresses[2], topology == PodPlacement::Pod);
        assert_eq!(running.state("two").unwrap(), ContainerState::Running);
        assert_eq!(
            engine.leftovers(Some("test")).unwrap().len(),
            if topology == PodPlacement::Pod { 1 } else { 2 }
        );
        running.remove().unwrap();
        assert_eq!(cluster.pods(), "", "after {}", topology.name());
    }
}

#[test]
fn files_arrive_complete_and_commands_return_their_exit_status() {
    let Some(cluster) = TestCluster::create("streams") else {
        return;
    };
    let engine = cluster.engine(PodPlacement::Pod);
    let running = engine.start(&owner(), &cluster.image, &containers()).unwrap();
    let mut file = ExportReceiver::default();
    let ended = running
        .exec("loadgen", &[Image::AGENT, "export", Image::SUT], b"", &mut file)
        .unwrap();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let (length, sha256) = file.header.unwrap();
    assert!(length > 100_000 && file.bytes.len() == length);
    assert_eq!(hex::encode(Sha256::digest(&file.bytes)), sha256);

    let mut said = Vec::<u8>::new();
    let ended = running
        .exec("one", &[Image::AGENT, "export", "/nothing"], b"", &mut said)
        .unwrap();
    assert!(ended.code != 0 && ended.stderr.contains("/nothing"), "{ended:?}");
    assert!(running.exec("one", &["/bin/nothing"], b"", &mut said).is_err());
    assert!(running.exec("three", &[Image::AGENT], b"", &mut said).is_err());
    drop(running);
    assert_eq!(cluster.pods(), "", "dropping it removes it too");
}

#[test]
fn a_pod_that_is_deleted_ends_the_command() {
    let Some(cluster) = TestCluster::create("deleted") else {
        return;
    };
    let engine = cluster.engine(PodPlacement::Nodes);
    let running = engine.start(&owner(), &cluster.image, &containers()).unwrap();
    let error = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_secs(1));
            let pod = format!("{}-arms", owner().name());
            cluster.kubectl(&["delete", "pod", &pod, "--namespace", &cluster.namespace, "--wait=false"]);
        });
        let wait = [Image::AGENT, "ready", "--timeout-s", "600"];
        running.exec("one", &wait, b"", &mut Vec::<u8>::new())
    });
    // The command may be killed before the stream breaks; then its exit status is not 0.
    match error {
        Err(error) => assert!(error.to_string().starts_with("kubernetes: cannot"), "{error}"),
        Ok(ended) => assert_ne!(ended.code, 0),
    }
    assert_eq!(running.state("loadgen").unwrap(), ContainerState::Running);
    running.remove().unwrap();
    assert_eq!(cluster.pods(), "");
}

#[test]
fn a_cut_stream_is_an_error_and_the_pods_are_removed_when_the_cluster_answers_again() {
    let Some(cluster) = TestCluster::create("cut") else {
        return;
    };
    let proxy = CuttingProxy::to(cluster.server());
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = cluster.kubeconfig_through(&proxy, folder.path());
    for refuse in [false, true] {
        let engine = cluster.engine_by(PodPlacement::Pod, ImageDelivery::Loaded, &kubeconfig, Stop::default());
        let running = engine.start(&owner(), &cluster.image, &containers()).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_secs(1));
                proxy.cut(refuse);
                thread::sleep(Duration::from_secs(3));
                proxy.cut(false);
            });
            let wait = [Image::AGENT, "ready", "--timeout-s", "600"];
            let error = running.exec("loadgen", &wait, b"", &mut Vec::<u8>::new()).unwrap_err();
            assert!(error.to_string().contains("the stream broke"), "{error}");
            running.remove().unwrap();
        });
        assert_eq!(cluster.pods(), "", "refusing: {refuse}");
    }
}

#[test]
fn a_signal_ends_a_command_and_no_pod_is_left() {
    let Some(cluster) = TestCluster::create("signal") else {
        return;
    };
    let stop = Stop::default();
    let engine = cluster.engine_by(
        PodPlacement::Pod,
        ImageDelivery::Loaded,
        &cluster.kubeconfig,
        stop.clone(),
    );
    let running = engine.start(&owner(), &cluster.image, &containers()).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(500));
            stop.store(true, Ordering::Relaxed);
        });
        let wait = [Image::AGENT, "ready", "--timeout-s", "600"];
        let error = running.exec("loadgen", &wait, b"", &mut Vec::<u8>::new()).unwrap_err();
        assert!(matches!(error, EngineError::Stopped), "{error}");
    });
    assert!(matches!(
        engine.start(&owner(), &cluster.image, &containers()),
        Err(EngineError::Stopped)
    ));
    running.remove().unwrap();
    assert_eq!(cluster.pods(), "");
}

#[test]
fn an_image_that_no_node_has_is_reported_and_no_pod_is_left() {
    let Some(cluster) = TestCluster::create("image") else {
        return;
    };
    let image = Image {
        reference: "hook-latency:nowhere".to_owned(),
        archive: Vec::new(),
    };
    let Err(error) = cluster
        .engine(PodPlacement::Node)
        .start(&owner(), &image, &containers())
    else {
        panic!("started without an image")
    };
    assert!(error.to_string().contains("load the image into every node"), "{error}");
    assert_eq!(cluster.pods(), "");
}
