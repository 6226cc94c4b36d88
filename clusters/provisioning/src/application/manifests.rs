//! The manifests of an application, checked against its definition.

use std::fs;
use std::path::{Path, PathBuf};

use model::{ApplicationDefinition, WorkloadName};
use serde_json::Value;

use crate::error::ProvisioningError;
use crate::injection::is_workload;

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
/// Kinds that belong to no namespace and would outlive it, or that would give others access.
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

/// Reads all objects of an application's manifests from a checkout, without their namespaces.
///
/// # Errors
/// When a file cannot be read, when the workloads of manifests and definition differ, or when an object would outlive its
/// namespace.
pub fn read_objects(application: &ApplicationDefinition, checkout: &Path) -> Result<Vec<Value>, ProvisioningError> {
    let mut objects = Vec::new();
    for manifest in &application.source.manifests {
        for path in files(&checkout.join(manifest), &application.checkout_command())? {
            let text = fs::read_to_string(&path).map_err(ProvisioningError::file(&path))?;
            let all: Vec<Value> = serde_saphyr::from_multiple(&text)
                .map_err(|error| ProvisioningError::invalid(&path)(error.to_string()))?;
            for mut object in all.into_iter().filter(|object| !object.is_null()) {
                check_object(application, &object).map_err(ProvisioningError::invalid(&path))?;
                if let Some(metadata) = object["metadata"].as_object_mut() {
                    // Each copy has a namespace of its own.
                    metadata.remove("namespace");
                }
                objects.push(object);
            }
        }
    }
    let is_absent = |name: &&WorkloadName| !objects.iter().any(|object| is_workload(object, name));
    let mut names = application.workloads.iter().map(|workload| &workload.name);
    match names.find(is_absent) {
        None => Ok(objects),
        Some(absent) => Err(ProvisioningError::Invalid {
            path: checkout.to_owned(),
            reason: format!("{absent} of {} is in none of source.manifests", application.name),
        }),
    }
}

fn check_object(application: &ApplicationDefinition, object: &Value) -> Result<(), String> {
    let kind = object["kind"].as_str().unwrap_or_default();
    if REFUSED.contains(&kind) {
        return Err(format!(
            "a {kind} would outlive the namespace; leave it out of source.manifests"
        ));
    }
    let mut workloads = application.workloads.iter();
    if WORKLOADS.contains(&kind) && !workloads.any(|workload| is_workload(object, &workload.name)) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        return Err(format!(
            "{kind} {name} is not among the workloads of {}",
            application.name
        ));
    }
    Ok(())
}

/// Returns the path if it is a file, and otherwise all manifests in the folder.
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
