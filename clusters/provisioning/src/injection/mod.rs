//! The hook put into workloads that people already have, and taken out again.

mod patch;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engines::kubernetes::{ClusterConnection, answer, failed};
use engines::{EngineError, Stop};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use model::WorkloadName;
use serde_json::Value;

pub use patch::{Injection, inject, remove};

use crate::error::ProvisioningError;

/// How long new pods may take to replace the old ones.
const ROLLOUT: Duration = Duration::from_secs(300);

/// How often a change is tried on a workload that changes meanwhile.
const TRIES: u32 = 10;

/// Returns whether an object of the cluster, or of a file of manifests, is this workload.
#[must_use]
pub fn is_workload(name: &WorkloadName, object: &Value) -> bool {
    object["kind"] == name.kind() && object["metadata"]["name"] == name.name()
}

/// Returns a workload from a file of manifests.
///
/// # Errors
/// When the file cannot be read or does not hold the workload.
pub fn read_workload(name: &WorkloadName, path: &Path) -> Result<Value, ProvisioningError> {
    let text = std::fs::read_to_string(path).map_err(ProvisioningError::file(path))?;
    let invalid = |reason: String| ProvisioningError::Invalid {
        path: path.to_owned(),
        reason,
    };
    let all: Vec<Value> = serde_saphyr::from_multiple(&text).map_err(|error| invalid(error.to_string()))?;
    let found = all.into_iter().find(|object| is_workload(name, object));
    found.ok_or_else(|| invalid(format!("has no {name}")))
}

/// Workloads of a cluster.
pub struct Workloads {
    connection: Arc<ClusterConnection>,
    namespace: String,
}

impl Workloads {
    /// Connects, by the kubeconfig's current context and its namespace unless others are named.
    ///
    /// # Errors
    /// When there is no usable kubeconfig.
    pub fn connect(context: Option<&str>, namespace: Option<&str>, stop: Stop) -> Result<Self, EngineError> {
        let connection = Arc::new(ClusterConnection::open(None, context, namespace, stop)?);
        let namespace = connection.namespace.clone();
        Ok(Self { connection, namespace })
    }

    /// Those of a namespace, by a connection that is there.
    pub(crate) fn within(connection: Arc<ClusterConnection>, namespace: &str) -> Self {
        let namespace = namespace.to_owned();
        Self { connection, namespace }
    }

    fn api(&self, target: &WorkloadName) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("apps", "v1", target.kind()));
        Api::namespaced_with(self.connection.client.clone(), &self.namespace, &resource)
    }

    /// The workload as it is.
    ///
    /// # Errors
    /// When it is not there or the cluster does not answer.
    pub fn get(&self, target: &WorkloadName) -> Result<Value, EngineError> {
        self.connection.wait(self.find(target))
    }

    /// The same, for who is waited for.
    pub(crate) async fn find(&self, target: &WorkloadName) -> Result<Value, EngineError> {
        let object = answer("look at a workload", self.api(target).get(target.name())).await?;
        let object = object.ok_or_else(|| {
            let reason = format!("there is none in the namespace {}", self.namespace);
            failed(&format!("find {target}"), reason)
        })?;
        serde_json::to_value(object).map_err(|error| failed(&format!("read {target}"), error))
    }

    /// Changes a workload by the patch that `compute` makes of it as it is; anew when somebody, and be it its controller,
    /// changed it in between.
    ///
    /// # Errors
    /// When there is no such patch, the cluster refuses it, or the workload does not come to rest.
    pub fn change(
        &self,
        target: &WorkloadName,
        compute: impl Fn(&Value) -> Result<Value, String>,
    ) -> Result<(), EngineError> {
        let action = format!("patch {target}");
        for _ in 0..TRIES {
            let patch = compute(&self.get(target)?).map_err(|reason| failed(&action, reason))?;
            if self.connection.wait(self.patch(target, &patch, &action))? {
                return Ok(());
            }
        }
        Err(failed(&action, "it changes all the time"))
    }

    /// Applies a patch; false when the workload is not any more what the patch was computed from.
    async fn patch(&self, target: &WorkloadName, patch: &Value, action: &str) -> Result<bool, EngineError> {
        let (api, parameters) = (self.api(target), PatchParams::default());
        let patched = async {
            match api.patch(target.name(), &parameters, &Patch::Strategic(patch)).await {
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
                other => other.map(|_| true),
            }
        };
        answer(action, patched)
            .await?
            .ok_or_else(|| failed(action, "it has gone"))
    }

    /// Waits until all pods are of the patched workload and ready.
    ///
    /// # Errors
    /// When they do not come up in time.
    pub fn rolled_out(&self, target: &WorkloadName) -> Result<(), EngineError> {
        let began = Instant::now();
        loop {
            let workload = self.get(target)?;
            if settled(&workload) {
                return Ok(());
            }
            if began.elapsed() > ROLLOUT {
                let reason = format!(
                    "its pods are not ready after {} s; --remove takes the hook out",
                    ROLLOUT.as_secs()
                );
                return Err(failed(&format!("roll out {target}"), reason));
            }
            self.connection.wait(async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                Ok(())
            })?;
        }
    }
}

/// Whether the controller has replaced all pods.
fn settled(workload: &Value) -> bool {
    let status = &workload["status"];
    let number = |key: &str| status[key].as_i64().unwrap_or(0);
    if number("observedGeneration") < workload["metadata"]["generation"].as_i64().unwrap_or(0) {
        return false;
    }
    if workload["kind"] == "DaemonSet" {
        let wanted = number("desiredNumberScheduled");
        return number("updatedNumberScheduled") == wanted && number("numberReady") == wanted;
    }
    let wanted = workload["spec"]["replicas"].as_i64().unwrap_or(1);
    ["updatedReplicas", "readyReplicas", "replicas"]
        .iter()
        .all(|key| number(key) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_has_settled_when_every_pod_is_new_and_ready() {
        let workload = |status: Value| {
            serde_json::json!({ "kind": "Deployment", "spec": { "replicas": 2 },
            "metadata": { "generation": 3 }, "status": status })
        };
        let status = |observed, updated, ready, all| {
            serde_json::json!({ "observedGeneration": observed, "updatedReplicas": updated, "readyReplicas": ready,
                "replicas": all })
        };
        assert!(settled(&workload(status(3, 2, 2, 2))));
        for early in [
            status(2, 2, 2, 2),
            status(3, 1, 2, 2),
            status(3, 2, 1, 2),
            status(3, 2, 2, 3),
        ] {
            assert!(!settled(&workload(early)));
        }
    }
}
