//! The running pods of one launch.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{ContainerStatus, Namespace, Node, Pod};
use kube::api::{Api, DeleteParams, LogParams};
use serde::de::DeserializeOwned;

use super::client::{ClusterConnection, answer, failed};
use super::exec;
use crate::container::{CommandOutcome, ContainerState};
use crate::engine::{OutputListener, RunningContainers};
use crate::error::EngineError;

/// Time after which the deletion of a pod is forced, which is necessary when its node is lost.
const FORCE_AFTER: Duration = Duration::from_secs(30);
/// Longest time without an answer of the cluster while a command runs. It allows for the restart of an API server.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);

/// The pods of one launch.
pub(super) struct PodLaunch {
    pub(super) connection: Arc<ClusterConnection>,
    /// Name and address of the pod by container.
    pub(super) containers: BTreeMap<String, (String, IpAddr)>,
    pub(super) names: Vec<String>,
}

impl PodLaunch {
    fn api(&self) -> Api<Pod> {
        self.connection.objects()
    }

    fn pod_of(&self, container: &str) -> Result<&(String, IpAddr), EngineError> {
        let pod = self.containers.get(container);
        pod.ok_or_else(|| failed(&format!("find {container}"), "the launch has no such container"))
    }

    async fn get(&self, container: &str) -> Result<Option<Pod>, EngineError> {
        let (name, _) = self.pod_of(container)?;
        answer("read a pod", self.api().get(name)).await
    }

    async fn state_of(&self, container: &str) -> Result<ContainerState, EngineError> {
        let Some(pod) = self.get(container).await? else {
            return Ok(ContainerState::Gone);
        };
        if let Some(ContainerState::Ended { code, out_of_memory }) = status(&pod, container).and_then(state) {
            return Ok(ContainerState::Ended { code, out_of_memory });
        }
        if pod.metadata.deletion_timestamp.is_some() || self.node_is_lost(&pod).await {
            return Ok(ContainerState::Gone);
        }
        Ok(ContainerState::Running)
    }

    /// Returns true when the cluster has lost the pod's node, and false when this user may not read nodes. The broken
    /// stream then reveals the loss.
    async fn node_is_lost(&self, pod: &Pod) -> bool {
        let Some(node) = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()) else {
            return false;
        };
        let nodes: Api<Node> = self.connection.global();
        match answer("read a node", nodes.get(node)).await {
            Ok(Some(node)) => {
                let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
                conditions
                    .iter()
                    .any(|condition| condition.type_ == "Ready" && condition.status != "True")
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Returns an error unless the container runs.
    fn check_running(container: &str, state: &ContainerState) -> Option<EngineError> {
        match state {
            ContainerState::Running => None,
            ContainerState::Ended { code, out_of_memory } => {
                let why = if *out_of_memory { " because memory ran out" } else { "" };
                let reason = format!("its process 1 ended with {code}{why}");
                Some(failed(&format!("continue in {container}"), reason))
            }
            ContainerState::Gone => Some(failed(
                &format!("continue in {container}"),
                "its pod was deleted, or its node is not ready",
            )),
        }
    }
}

fn status<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStatus> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    statuses.iter().find(|status| status.name == container)
}

/// Returns the state of a container by its status; `None` for a container that waits.
pub(super) fn state(status: &ContainerStatus) -> Option<ContainerState> {
    let state = status.state.as_ref()?;
    if let Some(ended) = &state.terminated {
        return Some(ContainerState::Ended {
            code: i64::from(ended.exit_code),
            out_of_memory: ended.reason.as_deref() == Some("OOMKilled"),
        });
    }
    state.running.as_ref().map(|_| ContainerState::Running)
}

/// Deletes a pod and waits until it does not exist any more.
pub(super) async fn delete(pods: &Api<Pod>, name: &str) -> Result<(), EngineError> {
    remove(pods, "pod", name, FORCE_AFTER).await
}

/// Deletes a namespace with its objects and waits until it does not exist any more.
///
/// # Errors
/// When the cluster refuses, or the namespace still exists after two minutes of a normal and two minutes of a forced
/// deletion.
pub async fn remove_namespace(namespaces: &Api<Namespace>, name: &str) -> Result<(), EngineError> {
    remove(namespaces, "namespace", name, FORCE_AFTER * 4).await
}

/// Deletes an object and waits until it does not exist any more. After `force_after` the deletion is forced.
async fn remove<K>(objects: &Api<K>, kind: &str, name: &str, force_after: Duration) -> Result<(), EngineError>
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let action = format!("delete the {kind} {name}");
    let began = Instant::now();
    let mut forced = false;
    let mut request: Option<DeleteParams> = Some(DeleteParams::default().grace_period(1));
    loop {
        let there = match request.take() {
            Some(how) => answer(&action, objects.delete(name, &how))
                .await
                .map(|there| there.is_some()),
            None => answer(&action, objects.get(name)).await.map(|there| there.is_some()),
        };
        match there {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) if began.elapsed() > force_after * 2 => return Err(error),
            // The cluster may not answer for a moment; the pod must be deleted nevertheless.
            Err(_) => request = Some(DeleteParams::default().grace_period(if forced { 0 } else { 1 })),
        }
        if began.elapsed() > force_after && !forced {
            forced = true;
            request = Some(DeleteParams::default().grace_period(0));
        }
        if began.elapsed() > force_after * 3 {
            return Err(failed(&action, "it still exists, also after a forced deletion"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

impl RunningContainers for PodLaunch {
    fn address(&self, container: &str) -> Result<IpAddr, EngineError> {
        Ok(self.pod_of(container)?.1)
    }

    fn exec(
        &self,
        container: &str,
        command: &[&str],
        stdin: &[u8],
        listener: &mut dyn OutputListener,
    ) -> Result<CommandOutcome, EngineError> {
        let (pod, _) = self.pod_of(container)?;
        let answered = std::cell::Cell::new(Instant::now());
        let alive = || async {
            match self.state_of(container).await {
                Ok(state) => {
                    answered.set(Instant::now());
                    Self::check_running(container, &state).map_or(Ok(()), Err)
                }
                Err(error) if answered.get().elapsed() > SILENCE_TIMEOUT => Err(error),
                Err(_) => Ok(()),
            }
        };
        let api = self.api();
        self.connection
            .wait(exec::run(&api, pod, container, command, stdin, listener, alive))
    }

    fn log(&self, container: &str) -> Result<String, EngineError> {
        let (pod, _) = self.pod_of(container)?;
        let parameters = LogParams {
            container: Some(container.to_owned()),
            ..LogParams::default()
        };
        let api = self.api();
        let text = self.connection.wait(answer("read a log", api.logs(pod, &parameters)))?;
        text.ok_or_else(|| failed("read a log", format!("the pod {pod} does not exist any more")))
    }

    fn state(&self, container: &str) -> Result<ContainerState, EngineError> {
        self.connection.wait(self.state_of(container))
    }

    fn placement(&self, container: &str) -> Result<BTreeMap<String, String>, EngineError> {
        let pod = self.connection.wait(self.get(container))?;
        let pod = pod.ok_or_else(|| failed("read a pod", "it does not exist any more"))?;
        let mut facts = BTreeMap::new();
        let mut add = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                facts.insert(key.to_owned(), value);
            }
        };
        add("pod", pod.metadata.name.clone());
        add(
            "image_id",
            status(&pod, container).map(|status| status.image_id.clone()),
        );
        add(
            "qos_class",
            pod.status.as_ref().and_then(|status| status.qos_class.clone()),
        );
        let spec = pod.spec.unwrap_or_default();
        add("node", spec.node_name);
        let resources = spec.containers.into_iter().find(|other| other.name == container);
        let limits = resources
            .and_then(|container| container.resources?.limits)
            .unwrap_or_default();
        for (name, amount) in limits {
            add(&format!("limit_{name}"), Some(amount.0));
        }
        Ok(facts)
    }

    fn remove(mut self: Box<Self>) -> Result<(), EngineError> {
        self.remove_all()
    }
}

impl PodLaunch {
    /// Deletes all pods at the same time, because each deletion takes seconds. A failed deletion does not stop the others.
    fn remove_all(&mut self) -> Result<(), EngineError> {
        let api = self.api();
        let names = std::mem::take(&mut self.names);
        let deleted = join_all(names.iter().map(|name| delete(&api, name)));
        self.connection.finish(async { deleted.await.into_iter().collect() })
    }
}

impl Drop for PodLaunch {
    fn drop(&mut self) {
        if let Err(error) = self.remove_all() {
            eprintln!("{error}; `cargo xtask cluster down` removes the rest");
        }
    }
}
