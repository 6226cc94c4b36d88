//! The patches that put the hook into a workload and take it out.

use std::collections::BTreeMap;

use provisioning::injection::{Injection, inject, remove};
use serde_json::{Value, json};

fn injection() -> Injection {
    Injection {
        image: "registry.example/hook@sha256:0123".to_owned(),
        pull_policy: "IfNotPresent".to_owned(),
        containers: Vec::new(),
        variables: BTreeMap::from([("READHOOK_MODE".to_owned(), "scan".to_owned())]),
    }
}

fn shop() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "shop", "resourceVersion": "41" },
        "spec": { "template": { "spec": { "containers": [
            { "name": "web", "image": "web", "env": [{ "name": "LD_PRELOAD", "value": "/lib/other.so" }] },
            { "name": "side", "image": "side" },
        ] } } },
    })
}

#[test]
fn the_patch_contains_only_its_additions() {
    let patch = inject(&shop(), &injection()).unwrap();
    let variable = json!({ "name": "READHOOK_MODE", "value": "scan" });
    let mounts = json!([{ "name": "readhook", "mountPath": "/readhook", "readOnly": true }]);
    let preload = |value: &str| json!({ "name": "LD_PRELOAD", "value": value });
    assert_eq!(
        patch["spec"]["template"]["spec"]["containers"],
        json!([
            { "name": "web", "env": [preload("/readhook/libreadhook.so:/lib/other.so"), variable], "volumeMounts": mounts },
            { "name": "side", "env": [preload("/readhook/libreadhook.so"), variable], "volumeMounts": mounts },
        ])
    );
    assert_eq!(
        patch["metadata"]["resourceVersion"], "41",
        "the cluster refuses the patch for another version"
    );
    let copier = &patch["spec"]["template"]["spec"]["initContainers"][0];
    assert_eq!(
        copier["command"],
        json!(["/bin/agent", "copy", "/lib/libreadhook.so", "/readhook/libreadhook.so"])
    );
    assert_eq!(copier["securityContext"]["capabilities"]["drop"], json!(["ALL"]));
    assert_eq!(copier.get("resources"), None, "the pod stays BestEffort");
}

#[test]
fn the_removal_restores_the_values_in_the_annotation() {
    let mut shop = shop();
    let patch = inject(&shop, &injection()).unwrap();
    shop["metadata"]["annotations"] = patch["metadata"]["annotations"].clone();
    assert!(inject(&shop, &injection()).unwrap_err().contains("--remove"));
    let undone = remove(&shop).unwrap();
    let gone = |name: &str| json!({ "name": name, "$patch": "delete" });
    let mounts = json!([{ "mountPath": "/readhook", "$patch": "delete" }]);
    assert_eq!(
        undone["spec"]["template"]["spec"],
        json!({
            "initContainers": [gone("readhook")],
            "containers": [
                { "name": "side", "env": [gone("LD_PRELOAD"), gone("READHOOK_MODE")], "volumeMounts": mounts },
                { "name": "web", "env": [{ "name": "LD_PRELOAD", "value": "/lib/other.so" }, gone("READHOOK_MODE")],
                  "volumeMounts": mounts },
            ],
            "volumes": [gone("readhook")],
        })
    );
    assert!(undone["metadata"]["annotations"]["hook-latency/injected"].is_null());
}

#[test]
fn values_that_the_patch_cannot_extend_are_refused() {
    let refused = |change: &dyn Fn(&mut Value), injection: &Injection| {
        let mut shop = shop();
        change(&mut shop);
        inject(&shop, injection).unwrap_err()
    };
    let env = |entry: Value| {
        move |shop: &mut Value| shop["spec"]["template"]["spec"]["containers"][1]["env"] = json!([entry.clone()])
    };
    let from_elsewhere = json!({ "name": "LD_PRELOAD", "valueFrom": { "configMapKeyRef": {} } });
    assert!(refused(&env(from_elsewhere), &injection()).contains("LD_PRELOAD from a ConfigMap"));
    assert!(refused(&env(json!({ "name": "READHOOK_MODE", "value": "log" })), &injection()).contains("side sets"));
    let other = Injection {
        containers: vec!["db".to_owned()],
        ..injection()
    };
    assert!(refused(&|_| {}, &other).contains("there are web, side"));
    assert!(remove(&shop()).unwrap_err().contains("does not have the hook"));
}
