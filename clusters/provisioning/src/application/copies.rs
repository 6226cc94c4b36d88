//! Copies of an application on a cluster, each in a namespace of its own, all on one node. They differ only in the hook.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use engines::kubernetes::{ClusterConnection, Kubernetes, answer, failed, remove_namespace, run_command};
use engines::{EngineError, Owner};
use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DynamicObject, GetParams, ListParams, PostParams, Request};
use kube::core::GroupVersionKind;
use kube::discovery;
use model::{ApplicationDefinition, Workload};
use serde_json::{Value, json};

use crate::injection::{Injection, Workloads, inject, is_workload};

/// A copy whose pods are ready.
#[derive(Clone, Debug)]
pub struct DeployedCopy {
    /// The address of the workload that receives the requests.
    pub front: IpAddr,
    /// The namespace of all its objects.
    pub namespace: String,
}

/// The copies of one launch. Dropping the value removes their namespaces with all objects in them.
pub struct ApplicationCopies {
    connection: Arc<ClusterConnection>,
    application: ApplicationDefinition,
    objects: Vec<Value>,
    /// The node of all pods.
    node: String,
    namespaces: Vec<String>,
}

impl ApplicationCopies {
    /// Prepares copies on the first node of the cluster; [`Self::add`] makes each of them.
    ///
    /// # Errors
    /// When this user may not list nodes.
    pub fn new(
        cluster: &Kubernetes,
        application: &ApplicationDefinition,
        objects: Vec<Value>,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            connection: cluster.connection(),
            application: application.clone(),
            objects,
            node: cluster.node_names()?.remove(0),
            namespaces: Vec::new(),
        })
    }

    /// Makes a copy and waits until all its pods are ready. With an injection, all workloads that can take the hook get it.
    ///
    /// # Errors
    /// When the cluster refuses an object, a pod does not become ready, or a server has not loaded the hook.
    pub fn add(
        &mut self,
        owner: &Owner,
        name: &str,
        injection: Option<&Injection>,
    ) -> Result<DeployedCopy, EngineError> {
        let namespace = format!("{}-{name}", owner.name());
        self.namespaces.push(namespace.clone());
        let connection = Arc::clone(&self.connection);
        connection.wait(self.create(owner, &namespace))?;
        let workloads = Workloads::within(Arc::clone(&connection), &namespace);
        if let Some(injection) = injection {
            for Workload { name, .. } in self.hooked() {
                workloads.change(name, |workload| inject(workload, injection))?;
            }
        }
        for workload in &self.application.workloads {
            workloads.wait_for_rollout(&workload.name)?;
        }
        if injection.is_some() {
            for workload in self.hooked() {
                connection.wait(self.check_hook(&workloads, &namespace, workload))?;
            }
        }
        let front = workloads.get(&self.application.front.workload)?;
        let pods = connection.wait(self.pods_of(&front, &namespace))?;
        let address = pods
            .first()
            .and_then(|pod| pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok());
        let front = address.ok_or_else(|| failed("find the front", "its pod has no address"))?;
        Ok(DeployedCopy { front, namespace })
    }

    /// Returns the node of all copies.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Returns the metrics of all pods on the node, in the text format of cAdvisor.
    ///
    /// # Errors
    /// When this user may not read them, or the kubelet does not answer.
    pub fn metrics(&self) -> Result<String, EngineError> {
        let action = format!("read the metrics of node {}", self.node);
        let metrics = Request::new(format!("/api/v1/nodes/{}/proxy/metrics", self.node));
        let request = metrics.get("cadvisor", &GetParams::default());
        let request = request.map_err(|error| failed(&action, error))?;
        let text = self
            .connection
            .wait(answer(&action, self.connection.client.request_text(request)))?;
        text.ok_or_else(|| failed(&action, "its kubelet has none"))
    }

    fn hooked(&self) -> impl Iterator<Item = &Workload> {
        self.application.workloads.iter().filter(|workload| workload.hook)
    }

    async fn create(&self, owner: &Owner, namespace: &str) -> Result<(), EngineError> {
        let parameters = PostParams::default();
        let made = Namespace {
            metadata: ObjectMeta {
                name: Some(namespace.to_owned()),
                labels: Some(owner.labels()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        answer(
            "create a namespace",
            self.connection.global().create(&parameters, &made),
        )
        .await?;
        for object in &self.objects {
            let mut object = self.within(object, namespace)?;
            self.bind(&mut object);
            let text = |key: &str| object[key].as_str().unwrap_or_default();
            let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
            let kind = GroupVersionKind::gvk(group, version, text("kind"));
            let action = format!("create {} {}", text("kind"), object["metadata"]["name"]);
            let found = answer(&action, discovery::pinned_kind(&self.connection.client, &kind)).await?;
            let (resource, _) = found.ok_or_else(|| failed(&action, "the cluster does not know this kind"))?;
            let api: Api<DynamicObject> = Api::namespaced_with(self.connection.client.clone(), namespace, &resource);
            let object = serde_json::from_value(object).map_err(|error| failed(&action, error))?;
            answer(&action, api.create(&parameters, &object)).await?;
        }
        Ok(())
    }

    /// Returns an object with the name of the namespace in place of its placeholder.
    fn within(&self, object: &Value, namespace: &str) -> Result<Value, EngineError> {
        let Some(word) = &self.application.source.namespace else {
            return Ok(object.clone());
        };
        let text = object.to_string().replace(word, namespace);
        serde_json::from_str(&text).map_err(|error| failed(&format!("replace {word} by {namespace}"), error))
    }

    /// Binds the pods of a workload to the node. Replaces the node port of a Service, which two copies cannot share, by a
    /// cluster address.
    fn bind(&self, object: &mut Value) {
        if self
            .application
            .workloads
            .iter()
            .any(|workload| is_workload(object, &workload.name))
        {
            object["spec"]["template"]["spec"]["nodeSelector"]["kubernetes.io/hostname"] = json!(self.node);
        } else if object["kind"] == "Service" {
            if object["spec"]["type"] == "NodePort" || object["spec"]["type"] == "LoadBalancer" {
                object["spec"]["type"] = json!("ClusterIP");
            }
            for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
                port.as_object_mut().map(|port| port.remove("nodePort"));
            }
        }
    }

    async fn pods_of(&self, workload: &Value, namespace: &str) -> Result<Vec<Pod>, EngineError> {
        let labels: BTreeMap<String, String> =
            serde_json::from_value(workload["spec"]["selector"]["matchLabels"].clone()).unwrap_or_default();
        let selector: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let api: Api<Pod> = Api::namespaced(self.connection.client.clone(), namespace);
        let parameters = ListParams::default().labels(&selector.join(","));
        let found = answer("list pods", api.list(&parameters)).await?;
        // Pods from before the injection may still be terminating.
        let stays = |pod: &Pod| pod.metadata.deletion_timestamp.is_none();
        Ok(found.into_iter().flatten().filter(stays).collect())
    }

    /// Checks that every container of a workload has loaded the hook.
    async fn check_hook(&self, workloads: &Workloads, namespace: &str, workload: &Workload) -> Result<(), EngineError> {
        let api: Api<Pod> = Api::namespaced(self.connection.client.clone(), namespace);
        let name = &workload.name;
        let object = workloads.find(name).await?;
        for pod in self.pods_of(&object, namespace).await? {
            let pod_name = pod.metadata.name.unwrap_or_default();
            for container in pod.spec.into_iter().flat_map(|spec| spec.containers) {
                let words: Vec<&str> = workload.evidence.iter().map(String::as_str).collect();
                let printed = run_command(&api, &pod_name, &container.name, &words).await?;
                if !printed.contains(Injection::LIBRARY) {
                    let reason =
                        "the hook is not in its memory map; if it is a static program, set hook: false and why";
                    return Err(failed(
                        &format!("measure {name} with the hook, container {}", container.name),
                        reason,
                    ));
                }
            }
        }
        Ok(())
    }

    /// Removes all copies, even if one of them cannot be removed.
    ///
    /// # Errors
    /// The first error of a removal.
    pub fn remove(&mut self) -> Result<(), EngineError> {
        let namespaces = std::mem::take(&mut self.namespaces);
        let api: Api<Namespace> = self.connection.global();
        let removed = join_all(namespaces.iter().map(|name| remove_namespace(&api, name)));
        self.connection.finish(async { removed.await.into_iter().collect() })
    }
}

impl Drop for ApplicationCopies {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("{error}; `cargo xtask cluster down` removes the rest");
        }
    }
}
