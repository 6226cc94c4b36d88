//! An application of three workloads on a real cluster: copies with and without the hook, measured beside each other.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::common::namespace::{Namespace, kubectl};
use crate::common::{Desk, failure, once, samples, success};
use dataset::{ObservationReader, Run};
use model::{Measure, ResourceSubject};
use serde_json::{Value, json};

/// Manifests and definition of three workloads, of which one does not take the hook; what runs in them is ours, so that no
/// registry is needed.
fn shop(image: &str) -> (String, Value) {
    let workload = |kind: &str, name: &str, command: &[&str]| {
        let container = json!({ "name": name, "image": image, "imagePullPolicy": "Never", "command": command });
        let pod = json!({ "containers": [container], "terminationGracePeriodSeconds": 1 });
        let labels = json!({ "app": name });
        let mut spec = json!({
            "replicas": 1, "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": pod },
        });
        if kind == "StatefulSet" {
            spec["serviceName"] = name.into();
        }
        json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name }, "spec": spec }).to_string()
    };
    let server = ["/bin/sut", "--listen", "0.0.0.0:8080"];
    let port = json!({ "port": 80, "targetPort": 8080, "nodePort": 30080 });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "elsewhere" },
        "spec": { "type": "NodePort", "selector": { "app": "web" }, "ports": [port] },
    });
    let manifests = [
        workload("Deployment", "web", &server),
        workload("StatefulSet", "store", &server),
        workload("Deployment", "gate", &["/bin/agent", "idle"]),
        service.to_string(),
    ];
    let maps = ["/bin/agent", "export", "/proc/1/maps"];
    let definition = json!({
        "name": "shop", "version": "1",
        "source": { "repository": "none", "revision": "0".repeat(40), "manifests": ["shop.yaml"] },
        "front": { "workload": "deployment/web", "port": 8080 },
        "request": { "method": "GET", "path": "/shop" },
        "workloads": [
            { "name": "deployment/web", "hook": true, "evidence": maps },
            { "name": "statefulset/store", "hook": true, "evidence": maps },
            { "name": "deployment/gate", "hook": false, "why": "it is to stay as it is" },
        ],
    });
    (manifests.join("\n---\n"), definition)
}

#[test]
fn an_application_is_deployed_hooked_measured_and_removed() {
    let Some(namespace) = Namespace::new("shop") else {
        return;
    };
    let desk = Desk::new();
    // The image's name comes from its content; bringing it in says it.
    let mut up = Command::new(desk.path("bin/runner"));
    up.args(["cluster", "up", "kubernetes-node", "--namespace", &namespace.name]);
    let output = up.args(["--load-with", &namespace.load_with]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let image = said.trim().rsplit(' ').next().unwrap();
    let (manifests, definition) = shop(image);
    fs::write(desk.path("shop.yaml"), manifests).unwrap();
    // Arms as applications take them: two without the hook.
    let text = once().replace("treatment = \"delay\"\ndelay_ns = 1_000", "treatment = \"unmodified\"");
    let measured = |definition: &Value| {
        fs::write(desk.path("definition.yaml"), definition.to_string()).unwrap();
        let mut command = namespace.run(&desk, &text, "kubernetes-nodes");
        command.arg("--macro").arg(desk.path("definition.yaml"));
        command.arg("--manifests").arg(desk.path("."));
        command
    };
    let left = || {
        kubectl(&[
            "get",
            "namespaces",
            "--selector",
            "hook-latency.run",
            "--output",
            "name",
        ])
    };
    // A workload that does not show the hook is refused, and nothing is left.
    let mut blind = definition.clone();
    blind["workloads"][1]["evidence"][2] = "/proc/1/limits".into();
    let said = failure(&mut measured(&blind));
    assert!(
        said.contains("statefulset/store") && said.contains("not in its memory map"),
        "{said}"
    );
    assert_eq!((left(), namespace.pods()), (String::new(), String::new()));
    fs::remove_dir_all(desk.path("run")).unwrap();

    success(&mut measured(&definition));
    assert_eq!((left(), namespace.pods()), (String::new(), String::new()));
    let run = Run::open(&desk.path("run")).unwrap();
    run.verify().unwrap();
    let plan = serde_json::to_value(&run.manifest.plan).unwrap();
    assert_eq!(plan["sut"]["workloads"][1]["name"], "statefulset/store");
    assert_eq!(plan["request"]["path"], "/shop");
    let launch = &run.manifest.launches[0];
    let mapped: Vec<_> = launch
        .arms
        .iter()
        .map(|arm| (&arm.arm[..], arm.hook_mapped, arm.requests_sent))
        .collect();
    assert_eq!(
        mapped,
        [("unmodified", None, 60), ("scan", Some(true), 60), ("delay", None, 60)]
    );
    // The cluster tells what the copies used, before and after; on whose node nothing of ours is.
    let monitor = launch.monitor.as_ref().expect("it was watched");
    let samples = samples(&run, launch);
    for arm in ["unmodified", "scan", "delay"] {
        let of_arm = samples
            .iter()
            .filter(|sample| sample.subject == ResourceSubject::Arm(arm.to_owned()));
        let used: Vec<i64> = of_arm.filter_map(|sample| sample.usage[Measure::CpuNs]).collect();
        assert!(used.len() == 2 && used[0] < used[1], "{arm}: {used:?}: {monitor:?}");
    }
    let nodes = samples
        .iter()
        .filter(|sample| matches!(sample.subject, ResourceSubject::Node(_)))
        .map(|sample| sample.subject.name().to_owned());
    assert_eq!(nodes.collect::<BTreeSet<_>>().len(), 2);
    let reader = ObservationReader::open(&run.directory.join(&launch.files.observations)).unwrap();
    assert_eq!(reader.rows(), 3 * 60);
}
