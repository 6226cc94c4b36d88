//! An application's manifests, held against its definition.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::ProvisioningError;
use crate::injection::is_workload;
use model::{ApplicationDefinition, WorkloadName};

/// Kinds that run pods.
const WORKLOADS: [&str; 7] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
    "Pod",
];
/// Kinds that belong to no namespace and would outlive it, and those that would let others in.
const REFUSED: [&str; 8] = [
    "Namespace",
    "PersistentVolume",
    "StorageClass",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// All objects of its manifests, ready for any namespace.
///
/// # Errors
/// When a file cannot be read, a workload is not in the definition or the other way round, or an object would not go
/// with its namespace.
pub fn objects(application: &ApplicationDefinition, checkout: &Path) -> Result<Vec<Value>, ProvisioningError> {
    let mut objects = Vec::new();
    for manifest in &application.source.manifests {
        for path in files(&checkout.join(manifest), &application.checkout_command())? {
            let text = fs::read_to_string(&path).map_err(ProvisioningError::file(&path))?;
            let invalid = |reason: String| ProvisioningError::Invalid {
                path: path.clone(),
                reason,
            };
            let all: Vec<Value> = serde_saphyr::from_multiple(&text).map_err(|error| invalid(error.to_string()))?;
            for mut object in all.into_iter().filter(|object| !object.is_null()) {
                let kind = object["kind"].as_str().unwrap_or_default();
                if REFUSED.contains(&kind) {
                    return Err(invalid(format!(
                        "a {kind} would outlive the namespace; leave it out of source.manifests"
                    )));
                }
                if WORKLOADS.contains(&kind)
                    && !application
                        .workloads
                        .iter()
                        .any(|known| is_workload(&known.name, &object))
                {
                    let name = object["metadata"]["name"].as_str().unwrap_or_default();
                    return Err(invalid(format!(
                        "{kind} {name} is not among the workloads of {}",
                        application.name
                    )));
                }
                if let Some(metadata) = object["metadata"].as_object_mut() {
                    // Each copy has a namespace of its own.
                    metadata.remove("namespace");
                }
                objects.push(object);
            }
        }
    }
    let absent = |target: &&WorkloadName| !objects.iter().any(|object| is_workload(target, object));
    match application.workloads.iter().map(|workload| &workload.name).find(absent) {
        None => Ok(objects),
        Some(absent) => Err(ProvisioningError::Invalid {
            path: checkout.to_owned(),
            reason: format!("{absent} of {} is in none of source.manifests", application.name),
        }),
    }
}

/// The file, or all manifests in the folder.
fn files(path: &Path, checkout_command: &str) -> Result<Vec<PathBuf>, ProvisioningError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let missing = |error: std::io::Error| ProvisioningError::Invalid {
        path: path.to_owned(),
        reason: format!("{error}; --manifests names a checkout: {checkout_command}"),
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(missing)? {
        let entry = entry.map_err(missing)?.path();
        if entry.is_dir() {
            found.extend(files(&entry, checkout_command)?);
        } else if entry
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            found.push(entry);
        }
    }
    found.sort();
    Ok(found)
}
