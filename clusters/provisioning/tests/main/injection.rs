//! The hook in a Deployment on a real cluster: put in, loaded by the server, and taken out again.

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::test_cluster::TestCluster;

/// A server with a library of its own in LD_PRELOAD, and a container beside it.
fn shop(image: &str) -> Value {
    let container = |name: &str, command: &[&str]| {
        json!({
            "name": name, "image": image, "imagePullPolicy": "Never", "command": command,
            "volumeMounts": [{ "name": "work", "mountPath": "/work" }],
            "resources": { "limits": { "cpu": "100m", "memory": "64Mi" } },
        })
    };
    let mut web = container("web", &["/bin/sut", "--listen", "0.0.0.0:8080"]);
    web["env"] = json!([{ "name": "LD_PRELOAD", "value": "libc.so.6" }, { "name": "LAST", "value": "one" }]);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "shop", "annotations": { "owner": "somebody" } },
        "spec": {
            "replicas": 1, "selector": { "matchLabels": { "app": "shop" } },
            "template": {
                "metadata": { "labels": { "app": "shop" } },
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "securityContext": { "runAsUser": 65532 },
                    "containers": [web, container("side", &["/bin/agent", "idle"])],
                    "volumes": [{ "name": "work", "emptyDir": {} }],
                },
            },
        },
    })
}

fn inject(cluster: &TestCluster, words: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("cluster"))
        .args(["inject", "deployment/shop", "--namespace", &cluster.namespace])
        .args(words)
        .env("KUBECONFIG", &cluster.kubeconfig)
        .output()
        .unwrap()
}

/// Returns the Deployment without the fields that the cluster changes by itself.
fn deployment(cluster: &TestCluster) -> Value {
    let text = cluster.kubectl(&[
        "get",
        "deployment",
        "shop",
        "--namespace",
        &cluster.namespace,
        "--output",
        "json",
    ]);
    let mut deployment: Value = serde_json::from_str(&text).unwrap();
    let metadata = deployment["metadata"].as_object_mut().unwrap();
    for changing in ["generation", "resourceVersion", "managedFields"] {
        metadata.remove(changing);
    }
    metadata["annotations"]
        .as_object_mut()
        .unwrap()
        .remove("deployment.kubernetes.io/revision");
    deployment.as_object_mut().unwrap().remove("status");
    deployment
}

/// Returns true when the server, process 1, has loaded the hook.
fn is_hooked(cluster: &TestCluster) -> bool {
    // Pods from before the change may still be terminating.
    while cluster.pods().lines().count() != 1 {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let exec = [
        "exec",
        "deployment/shop",
        "--container",
        "web",
        "--namespace",
        &cluster.namespace,
    ];
    let output = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(&cluster.kubeconfig)
        .args(exec)
        .args(["--", "/bin/agent", "export", "/proc/1/maps"])
        .output()
        .unwrap();
    // Nobody acknowledges the export, so that it fails in the end.
    let maps = String::from_utf8_lossy(&output.stdout);
    assert!(
        maps.contains("/bin/sut"),
        "{maps}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    maps.contains("/readhook/libreadhook.so")
}

#[test]
fn a_deployment_gets_the_hook_and_is_unchanged_after_its_removal() {
    let Some(cluster) = TestCluster::create("inject") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("shop.json");
    let image = &cluster.image.reference;
    std::fs::write(&manifest, shop(image).to_string()).unwrap();
    let manifest = manifest.display().to_string();
    cluster.kubectl(&["create", "--namespace", &cluster.namespace, "--filename", &manifest]);
    let wait = [
        "rollout",
        "status",
        "deployment/shop",
        "--namespace",
        &cluster.namespace,
        "--timeout",
        "120s",
    ];
    cluster.kubectl(&wait);
    let before = deployment(&cluster);

    let how = [
        "--image",
        image,
        "--pull-policy",
        "Never",
        "--mode",
        "scan",
        "--containers",
        "web",
    ];
    let dry = inject(&cluster, &[&how[..], &["--dry-run"]].concat());
    let patch: Value = serde_json::from_slice(&dry.stdout).unwrap();
    assert_eq!(patch["spec"]["template"]["spec"]["containers"][0]["name"], "web");
    assert_eq!(deployment(&cluster), before, "--dry-run changes nothing");
    assert!(!is_hooked(&cluster));

    let done = inject(&cluster, &how);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(is_hooked(&cluster));
    let hooked = deployment(&cluster);
    let web = &hooked["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        web["env"][0],
        json!({ "name": "LD_PRELOAD", "value": "/readhook/libreadhook.so:libc.so.6" })
    );
    let again = inject(&cluster, &how);
    assert!(String::from_utf8_lossy(&again.stderr).contains("the workload has the hook already"));

    let removed = inject(&cluster, &["--remove"]);
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    assert!(!is_hooked(&cluster));
    assert_eq!(deployment(&cluster), before);
}
