//! Workloads of a cluster or of manifests, and changes to them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engines::kubernetes::{ClusterConnection, answer, failed};
use engines::{EngineError, Stop};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use model::WorkloadName;
use serde_json::Value;

use crate::error::ProvisioningError;

/// Longest time for new pods to replace the old ones.
const ROLLOUT_TIMEOUT: Duration = Duration::from_secs(300);

/// Number of attempts to change a workload that another client of the cluster changes at the same time.
const ATTEMPTS: u32 = 10;

/// Returns true when an object of a cluster or of a manifest is this workload.
#[must_use]
pub fn is_workload(object: &Value, name: &WorkloadName) -> bool {
    object["kind"] == name.kind() && object["metadata"]["name"] == name.name()
}

/// Reads a workload from a file of manifests.
///
/// # Errors
/// When the file cannot be read or does not contain the workload.
pub fn read_workload(path: &Path, name: &WorkloadName) -> Result<Value, ProvisioningError> {
    let text = std::fs::read_to_string(path).map_err(ProvisioningError::file(path))?;
    let all: Vec<Value> =
        serde_saphyr::from_multiple(&text).map_err(|error| ProvisioningError::invalid(path)(error.to_string()))?;
    let found = all.into_iter().find(|object| is_workload(object, name));
    found.ok_or_else(|| ProvisioningError::invalid(path)(format!("has no {name}")))
}

/// The workloads of a namespace.
pub struct Workloads {
    connection: Arc<ClusterConnection>,
    namespace: String,
}

impl Workloads {
    /// Connects with a context of the kubeconfig and a namespace. The defaults are the current context and its
    /// namespace.
    ///
    /// # Errors
    /// When there is no usable kubeconfig.
    pub fn connect(context: Option<&str>, namespace: Option<&str>, stop: Stop) -> Result<Self, EngineError> {
        let connection = Arc::new(ClusterConnection::open(None, context, namespace, stop)?);
        let namespace = connection.namespace.clone();
        Ok(Self { connection, namespace })
    }

    /// Makes the workloads of another namespace with an existing connection.
    pub(crate) fn within(connection: Arc<ClusterConnection>, namespace: &str) -> Self {
        let namespace = namespace.to_owned();
        Self { connection, namespace }
    }

    fn api(&self, target: &WorkloadName) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("apps", "v1", target.kind()));
        Api::namespaced_with(self.connection.client.clone(), &self.namespace, &resource)
    }

    /// Returns a workload. Blocks until the cluster answers.
    ///
    /// # Errors
    /// When there is no such workload or the cluster does not answer.
    pub fn get(&self, target: &WorkloadName) -> Result<Value, EngineError> {
        self.connection.wait(self.find(target))
    }

    /// Returns a workload.
    pub(crate) async fn find(&self, target: &WorkloadName) -> Result<Value, EngineError> {
        let object = answer("read a workload", self.api(target).get(target.name())).await?;
        let object = object.ok_or_else(|| {
            let reason = format!("the namespace {} has none", self.namespace);
            failed(&format!("find {target}"), reason)
        })?;
        serde_json::to_value(object).map_err(|error| failed(&format!("read {target}"), error))
    }

    /// Applies the patch that `compute` returns for the present workload. If another client,
    /// such as the workload's controller, changes the workload meanwhile, the patch is computed again.
    ///
    /// # Errors
    /// When `compute` fails, the cluster refuses the patch, or another client changes the workload during every
    /// attempt.
    pub fn change(
        &self,
        target: &WorkloadName,
        compute: impl Fn(&Value) -> Result<Value, String>,
    ) -> Result<(), EngineError> {
        let action = format!("patch {target}");
        for _ in 0..ATTEMPTS {
            let patch = compute(&self.get(target)?).map_err(|reason| failed(&action, reason))?;
            if self.connection.wait(self.patch(target, &patch, &action))? {
                return Ok(());
            }
        }
        Err(failed(&action, "somebody changed it during each of 10 attempts"))
    }

    /// Applies a patch. Returns false when the workload has changed since the patch was computed.
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
            .ok_or_else(|| failed(action, "it does not exist any more"))
    }

    /// Waits until all pods belong to the present version of a workload and are ready.
    ///
    /// # Errors
    /// When that takes longer than 300 s.
    pub fn wait_for_rollout(&self, target: &WorkloadName) -> Result<(), EngineError> {
        let began = Instant::now();
        loop {
            let workload = self.get(target)?;
            if has_rolled_out(&workload) {
                return Ok(());
            }
            if began.elapsed() > ROLLOUT_TIMEOUT {
                let reason = format!(
                    "its pods are not ready after {} s; --remove takes the hook out",
                    ROLLOUT_TIMEOUT.as_secs()
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

/// Returns true when the controller has replaced all pods.
fn has_rolled_out(workload: &Value) -> bool {
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
    fn a_rollout_is_complete_when_every_pod_is_new_and_ready() {
        let workload = |status: Value| {
            serde_json::json!({ "kind": "Deployment", "spec": { "replicas": 2 },
            "metadata": { "generation": 3 }, "status": status })
        };
        let status = |observed, updated, ready, all| {
            serde_json::json!({ "observedGeneration": observed, "updatedReplicas": updated, "readyReplicas": ready,
                "replicas": all })
        };
        assert!(has_rolled_out(&workload(status(3, 2, 2, 2))));
        for early in [
            status(2, 2, 2, 2),
            status(3, 1, 2, 2),
            status(3, 2, 1, 2),
            status(3, 2, 2, 3),
        ] {
            assert!(!has_rolled_out(&workload(early)));
        }
    }
}
