//! Copies of an application on a cluster, a namespace each, all on one node: they differ in the hook and in nothing else.

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
use serde_json::{Value, json};

use crate::injection::{Injection, Workloads, inject, is_workload};
use model::{ApplicationDefinition, Workload};

/// A copy that is up.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The address of its front.
    pub front: IpAddr,
    /// What holds all of it.
    pub namespace: String,
}

/// The copies of one launch. Dropping it removes their namespaces with all that is in them.
pub struct Copies {
    connection: Arc<ClusterConnection>,
    application: ApplicationDefinition,
    objects: Vec<Value>,
    /// To which all pods are bound.
    node: String,
    namespaces: Vec<String>,
}

impl Copies {
    /// Prepares copies, to be added one by one, all on the first node of the cluster.
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

    /// Adds one, with the hook in all workloads that take it if there is an injection, and waits until all its pods are
    /// ready.
    ///
    /// # Errors
    /// When the cluster refuses something, a pod does not come up, or the hook is not in a server.
    pub fn add(&mut self, owner: &Owner, name: &str, injection: Option<&Injection>) -> Result<Deployed, EngineError> {
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
            workloads.rolled_out(&workload.name)?;
        }
        if injection.is_some() {
            for workload in self.hooked() {
                connection.wait(self.look(&workloads, &namespace, workload))?;
            }
        }
        let front = workloads.get(&self.application.front.workload)?;
        let pods = connection.wait(self.pods_of(&front, &namespace))?;
        let address = pods
            .first()
            .and_then(|pod| pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok());
        let front = address.ok_or_else(|| failed("find the front", "its pod has no address"))?;
        Ok(Deployed { front, namespace })
    }

    /// The node that all of them are on.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// What the node's kubelet tells of all its pods, as cAdvisor writes it.
    ///
    /// # Errors
    /// When it may not be asked, or does not answer.
    pub fn metrics(&self) -> Result<String, EngineError> {
        let action = format!("read the metrics of node {}", self.node);
        let metrics = Request::new(format!("/api/v1/nodes/{}/proxy/metrics", self.node));
        let request = metrics.get("cadvisor", &GetParams::default());
        let request = request.map_err(|error| failed(&action, error))?;
        let text = self
            .connection
            .wait(answer(&action, self.connection.client.request_text(request)))?;
        text.ok_or_else(|| failed(&action, "its kubelet offers none"))
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

    /// The object as the namespace has it.
    fn within(&self, object: &Value, namespace: &str) -> Result<Value, EngineError> {
        let Some(word) = &self.application.source.namespace else {
            return Ok(object.clone());
        };
        let text = object.to_string().replace(word, namespace);
        serde_json::from_str(&text).map_err(|error| failed(&format!("put {namespace} for {word}"), error))
    }

    /// Binds a workload's pods to the node; and a Service's port of the node, which two copies cannot have, to the cluster.
    fn bind(&self, object: &mut Value) {
        if self
            .application
            .workloads
            .iter()
            .any(|workload| is_workload(&workload.name, object))
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
        // Those of before the hook may still be going.
        let stays = |pod: &Pod| pod.metadata.deletion_timestamp.is_none();
        Ok(found.into_iter().flatten().filter(stays).collect())
    }

    /// Looks whether the hook is in every container of a workload.
    async fn look(&self, workloads: &Workloads, namespace: &str, workload: &Workload) -> Result<(), EngineError> {
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
                        "the hook is not in its memory map; is it a static program? Then say hook: false, and why";
                    return Err(failed(
                        &format!("measure {name} with the hook, container {}", container.name),
                        reason,
                    ));
                }
            }
        }
        Ok(())
    }

    /// Removes all copies; what cannot be removed does not keep the rest.
    ///
    /// # Errors
    /// When one could not be removed.
    pub fn remove(&mut self) -> Result<(), EngineError> {
        let namespaces = std::mem::take(&mut self.namespaces);
        let api: Api<Namespace> = self.connection.global();
        let removed = join_all(namespaces.iter().map(|name| remove_namespace(&api, name)));
        self.connection.finish(async { removed.await.into_iter().collect() })
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("{error}; `cargo xtask cluster down` finds what is left");
        }
    }
}
