//! The patches that put the hook into a workload and take it out again, computed from the workload alone.
//!
//! They are strategic merge patches: the API server merges lists by name and keeps all fields that a patch does not
//! mention. An annotation records the values before the injection, so that the removal needs no other data.

use std::collections::BTreeMap;

use engines::Image;
use engines::kubernetes::Kubernetes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Key of the annotation on the workload.
const ANNOTATION: &str = "hook-latency/injected";
/// Name of the init container and of the volume.
const NAME: &str = "readhook";
/// The folder of the volume in the containers.
const FOLDER: &str = "/readhook";
const PRELOAD: &str = "LD_PRELOAD";

/// The hook and its settings for the containers of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The image with the hook, by a name that the nodes know.
    pub image: String,
    /// The pull policy; `Never` for an image that was loaded into the nodes.
    pub pull_policy: String,
    /// Names of the containers; all containers if empty.
    pub containers: Vec<String>,
    /// The hook's environment variables.
    pub variables: BTreeMap<String, String>,
}

impl Injection {
    /// The path of the hook in the containers.
    pub const LIBRARY: &str = "/readhook/libreadhook.so";

    /// Returns the injection of the hook of `image` into all containers. The injection refers to the image by its name
    /// on the nodes of `cluster`.
    #[must_use]
    pub fn new(cluster: &Kubernetes, image: &Image, variables: BTreeMap<String, String>) -> Self {
        let (image, pull_policy) = cluster.image_on_nodes(image);
        Self {
            image,
            pull_policy: pull_policy.to_owned(),
            containers: Vec::new(),
            variables,
        }
    }
}

/// The values of a container before the injection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContainerBefore {
    ld_preload: Option<String>,
    added: Vec<String>,
}

/// The values before the injection, by the name of the container.
type InjectionRecord = BTreeMap<String, ContainerBefore>;

/// Returns the patch that puts the hook into a workload.
///
/// # Errors
/// When the workload has the hook already, has no such container, or has values that the patch cannot extend.
pub fn inject(workload: &Value, injection: &Injection) -> Result<Value, String> {
    if annotation(workload).is_some() {
        return Err("the workload has the hook already; take it out by --remove first".into());
    }
    let pod = &workload["spec"]["template"]["spec"];
    let all = list(pod, "containers");
    if all.is_empty() {
        return Err("it has no spec.template.spec.containers; expected a Deployment, StatefulSet or DaemonSet".into());
    }
    for wanted in &injection.containers {
        if !all.iter().any(|container| container["name"] == wanted.as_str()) {
            let names: Vec<_> = all.iter().filter_map(|container| container["name"].as_str()).collect();
            return Err(format!("no container `{wanted}`; there are {}", names.join(", ")));
        }
    }
    for taken in ["initContainers", "volumes"] {
        if list(pod, taken).iter().any(|item| item["name"] == NAME) {
            return Err(format!("{taken} has a `{NAME}` of somebody else; rename it"));
        }
    }
    let mut record = InjectionRecord::new();
    let mut patched = Vec::new();
    for container in &all {
        let name = container["name"].as_str().unwrap_or_default();
        if !injection.containers.is_empty() && !injection.containers.iter().any(|wanted| wanted == name) {
            continue;
        }
        let (before, patch) = hooked(name, container, injection)?;
        record.insert(name.to_owned(), before);
        patched.push(patch);
    }
    let record = serde_json::to_string(&record).map_err(|error| error.to_string())?;
    Ok(json!({
        "metadata": { "annotations": { ANNOTATION: record }, "resourceVersion": version(workload) },
        "spec": { "template": { "spec": {
            "initContainers": [copier(&all, injection)],
            "containers": patched,
            "volumes": [{ "name": NAME, "emptyDir": {} }],
        } } },
    }))
}

/// Returns the values of a container before the injection, and the patch of the container.
fn hooked(name: &str, container: &Value, injection: &Injection) -> Result<(ContainerBefore, Value), String> {
    let environment = list(container, "env");
    let there = |variable: &str| environment.iter().find(|entry| entry["name"] == variable);
    if let Some(taken) = injection.variables.keys().find(|variable| there(variable).is_some()) {
        return Err(format!("{name} sets {taken} itself; remove that variable first"));
    }
    if list(container, "volumeMounts")
        .iter()
        .any(|mount| mount["mountPath"] == FOLDER)
    {
        return Err(format!("{name} has a volume mounted at {FOLDER}; mount it elsewhere"));
    }
    let ld_preload = match there(PRELOAD) {
        Some(entry) if entry.get("valueFrom").is_some() => {
            return Err(format!(
                "{name} takes {PRELOAD} from a ConfigMap or Secret, which a patch cannot extend; give it a value"
            ));
        }
        Some(entry) => Some(entry["value"].as_str().unwrap_or_default().to_owned()),
        None => None,
    };
    // The hook is the first library, so that it gets each call before the other libraries.
    let merged = match ld_preload.as_deref() {
        None | Some("") => Injection::LIBRARY.to_owned(),
        Some(others) => format!("{}:{others}", Injection::LIBRARY),
    };
    let mut env = vec![json!({ "name": PRELOAD, "value": merged })];
    env.extend(
        injection
            .variables
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value })),
    );
    let before = ContainerBefore {
        ld_preload,
        added: injection.variables.keys().cloned().collect(),
    };
    let mount = json!({ "name": NAME, "mountPath": FOLDER, "readOnly": true });
    Ok((before, json!({ "name": name, "env": env, "volumeMounts": [mount] })))
}

/// Returns the init container, which copies the hook and ends.
fn copier(containers: &[&Value], injection: &Injection) -> Value {
    let mut copier = json!({
        "name": NAME,
        "image": injection.image,
        "imagePullPolicy": injection.pull_policy,
        "command": [Image::AGENT, "copy", Image::HOOK, Injection::LIBRARY],
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": Image::USER,
            "runAsGroup": Image::USER,
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "volumeMounts": [{ "name": NAME, "mountPath": FOLDER }],
    });
    // The pod must keep its quality of service. Requests would end BestEffort, and a container without limits would
    // end Guaranteed.
    let has_amounts = |container: &&Value| {
        let resources = &container["resources"];
        ["limits", "requests"]
            .iter()
            .any(|kind| resources[*kind].as_object().is_some_and(|amounts| !amounts.is_empty()))
    };
    if containers.iter().any(has_amounts) {
        let amounts = json!({ "cpu": "50m", "memory": "32Mi" });
        copier["resources"] = json!({ "limits": amounts, "requests": amounts });
    }
    copier
}

/// Returns the patch that takes the hook out of a workload.
///
/// # Errors
/// When the workload does not have the hook, or the annotation is damaged.
pub fn remove(workload: &Value) -> Result<Value, String> {
    let record = annotation(workload)
        .ok_or("the workload does not have the hook: there is no annotation hook-latency/injected")?;
    let record: InjectionRecord =
        serde_json::from_str(record).map_err(|error| format!("the annotation {ANNOTATION} is damaged: {error}"))?;
    let containers = list(&workload["spec"]["template"]["spec"], "containers");
    let mut patched = Vec::new();
    for (name, before) in record {
        // If the container was removed after the injection, the patch would add it again, without an image.
        if !containers.iter().any(|container| container["name"] == name.as_str()) {
            continue;
        }
        let gone = |variable: &str| json!({ "name": variable, "$patch": "delete" });
        let mut env = vec![match &before.ld_preload {
            Some(value) => json!({ "name": PRELOAD, "value": value }),
            None => gone(PRELOAD),
        }];
        env.extend(before.added.iter().map(|variable| gone(variable)));
        let mount = json!({ "mountPath": FOLDER, "$patch": "delete" });
        patched.push(json!({ "name": name, "env": env, "volumeMounts": [mount] }));
    }
    let gone = json!([{ "name": NAME, "$patch": "delete" }]);
    Ok(json!({
        "metadata": { "annotations": { ANNOTATION: null }, "resourceVersion": version(workload) },
        "spec": { "template": { "spec": {
            "initContainers": gone,
            "containers": patched,
            "volumes": gone,
        } } },
    }))
}

/// Returns the resource version for which the patch is computed. The cluster refuses the patch for any other version.
/// A workload from a file has no version.
fn version(workload: &Value) -> Value {
    workload["metadata"]["resourceVersion"].clone()
}

fn annotation(workload: &Value) -> Option<&str> {
    workload["metadata"]["annotations"][ANNOTATION].as_str()
}

fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key].as_array().into_iter().flatten().collect()
}
