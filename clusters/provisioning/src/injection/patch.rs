//! The patches that put the hook into a workload and take it out again, computed from the workload alone.
//!
//! They are strategic merge patches: the API server merges lists by name and leaves alone whatever they do not mention.
//! What was there before stands in an annotation, so that nothing else is needed to take the hook out.

use std::collections::BTreeMap;

use engines::Image;
use engines::kubernetes::Kubernetes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Key of the annotation on the workload.
pub(super) const ANNOTATION: &str = "hook-latency/injected";
/// Name of the init container and of the volume.
const NAME: &str = "readhook";
/// Where the volume is in the containers.
const FOLDER: &str = "/readhook";
const PRELOAD: &str = "LD_PRELOAD";

/// What is put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The image with the hook in it, by a name that the nodes know.
    pub image: String,
    /// `Never` for an image that was loaded into the nodes.
    pub pull_policy: String,
    /// These containers; all if empty.
    pub containers: Vec<String>,
    /// The hook's variables.
    pub variables: BTreeMap<String, String>,
}

impl Injection {
    /// The hook in the containers.
    pub const LIBRARY: &str = "/readhook/libreadhook.so";

    /// Returns the injection of the hook of an image, by the name under which the nodes of a cluster know the image, into
    /// all containers.
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

/// What a container had before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    ld_preload: Option<String>,
    added: Vec<String>,
}

type Record = BTreeMap<String, Before>;

/// The patch that puts the hook in.
///
/// # Errors
/// When it is in already, a container is not there, or it has something that cannot be merged with.
pub fn inject(workload: &Value, injection: &Injection) -> Result<Value, String> {
    if annotation(workload).is_some() {
        return Err("the hook is in already; take it out by --remove first".into());
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
            return Err(format!("{taken} has a `{NAME}` that is not ours"));
        }
    }
    let mut record = Record::new();
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

fn hooked(name: &str, container: &Value, injection: &Injection) -> Result<(Before, Value), String> {
    let environment = list(container, "env");
    let there = |variable: &str| environment.iter().find(|entry| entry["name"] == variable);
    if let Some(taken) = injection.variables.keys().find(|variable| there(variable).is_some()) {
        return Err(format!("{name} sets {taken} itself; take that out first"));
    }
    if list(container, "volumeMounts")
        .iter()
        .any(|mount| mount["mountPath"] == FOLDER)
    {
        return Err(format!("{name} has something mounted at {FOLDER}"));
    }
    let ld_preload = match there(PRELOAD) {
        Some(entry) if entry.get("valueFrom").is_some() => {
            return Err(format!(
                "{name} takes {PRELOAD} from elsewhere, which cannot be added to"
            ));
        }
        Some(entry) => Some(entry["value"].as_str().unwrap_or_default().to_owned()),
        None => None,
    };
    // First, so that it sees the calls before the others do.
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
    let before = Before {
        ld_preload,
        added: injection.variables.keys().cloned().collect(),
    };
    let mount = json!({ "name": NAME, "mountPath": FOLDER, "readOnly": true });
    Ok((before, json!({ "name": name, "env": env, "volumeMounts": [mount] })))
}

/// The init container, which copies the hook and ends.
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
    // The pod keeps its class of service: one without any amounts would leave BestEffort with an amount, and one with
    // limits everywhere would leave Guaranteed without.
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

/// The patch that takes the hook out.
///
/// # Errors
/// When it is not in, or the annotation is damaged.
pub fn remove(workload: &Value) -> Result<Value, String> {
    let record = annotation(workload).ok_or("the hook is not in it: there is no annotation hook-latency/injected")?;
    let record: Record =
        serde_json::from_str(record).map_err(|error| format!("the annotation {ANNOTATION} is damaged: {error}"))?;
    let containers = list(&workload["spec"]["template"]["spec"], "containers");
    let mut patched = Vec::new();
    for (name, before) in record {
        // One that was taken out meanwhile would come back without an image.
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

/// Whether the workload is as the patch was computed for; a file has no version.
fn version(workload: &Value) -> Value {
    workload["metadata"]["resourceVersion"].clone()
}

fn annotation(workload: &Value) -> Option<&str> {
    workload["metadata"]["annotations"][ANNOTATION].as_str()
}

fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key].as_array().into_iter().flatten().collect()
}
