//! The engine: creates the pods of launches, waits for them, finds leftovers and removes them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Namespace, Node, Pod, ServiceAccount};
use kube::api::{Api, ListParams, PostParams};
use tempfile::NamedTempFile;

use super::client::{ClusterConnection, answer, failed};
use super::manifest::{ImagePull, LaunchPods, PodPlacement, pods};
use super::running::{self, PodLaunch};
use super::share::NodeShare;
use super::starting::{running_address, start_failure};
use crate::commands::{CommandLine, CommandRunner};
use crate::container::{ContainerRole, ContainerSpec, Leftover, Owner};
use crate::engine::{Engine, RunningContainers};
use crate::error::EngineError;
use crate::image::Image;
use crate::stop::Stop;

/// Longest time until the cluster has made the namespace's service account.
const ACCOUNT_TIMEOUT: Duration = Duration::from_secs(60);
/// Time between two requests while waiting.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The way by which the image reaches the nodes.
#[derive(Debug)]
pub enum ImageDelivery {
    /// The image was loaded into every node beforehand.
    Loaded,
    /// A command loads it, such as `k3s ctr images import`; the archive's path is added as the last argument.
    Command(Vec<String>),
    /// Nodes pull it from a registry by this reference, which has a digest.
    Registry(String),
    /// The provider of the cluster loads it.
    Provider(Box<dyn ImageLoader>),
}

/// Loads an image into a cluster with the tools of the cluster's provider.
pub trait ImageLoader: std::fmt::Debug {
    /// Loads the archive of an image. Returns the reference with a digest by which nodes pull it, or `None` when the image
    /// is in every node afterwards.
    ///
    /// # Errors
    /// When a tool fails.
    fn load(&self, commands: &CommandRunner, archive: &Path, reference: &str) -> Result<Option<String>, EngineError>;
}

/// The settings by which a cluster is used: the connection, the placement of containers, and the delivery of the
/// image.
#[derive(Debug)]
pub struct ClusterSettings {
    /// The kubeconfig; `None` for the files that `KUBECONFIG` names, or else `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The context; `None` for the kubeconfig's current context.
    pub context: Option<String>,
    /// The namespace; `None` for the context's namespace.
    pub namespace: Option<String>,
    /// The placement of the containers.
    pub placement: PodPlacement,
    /// The way by which the image reaches the nodes.
    pub delivery: ImageDelivery,
    /// The flag that ends every wait.
    pub stop: Stop,
}

/// A cluster.
pub struct Kubernetes {
    connection: Arc<ClusterConnection>,
    settings: ClusterSettings,
    pull: Mutex<ImagePull>,
}

impl Kubernetes {
    /// Opens the kubeconfig. The first use of the engine sends the first request to the cluster.
    ///
    /// # Errors
    /// When there is no usable kubeconfig.
    pub fn connect(settings: ClusterSettings) -> Result<Self, EngineError> {
        let connection = ClusterConnection::open(
            settings.kubeconfig.as_deref(),
            settings.context.as_deref(),
            settings.namespace.as_deref(),
            Arc::clone(&settings.stop),
        )?;
        let pull = match &settings.delivery {
            ImageDelivery::Registry(reference) if !reference.contains("@sha256:") => {
                let reason = "expected a reference with its digest, REGISTRY/NAME@sha256:…";
                return Err(failed(&format!("pull {reference}"), reason));
            }
            ImageDelivery::Registry(reference) => ImagePull::ByDigest(reference.clone()),
            _ => ImagePull::Never,
        };
        Ok(Self {
            connection: Arc::new(connection),
            settings,
            pull: Mutex::new(pull),
        })
    }

    fn pods(&self) -> Api<Pod> {
        self.connection.objects()
    }

    /// Returns the nodes that take pods; none when this user may not list nodes, which does not prevent a measurement.
    fn nodes(&self) -> Result<Vec<Node>, EngineError> {
        let nodes: Api<Node> = self.connection.global();
        match self
            .connection
            .wait(answer("list nodes", nodes.list(&ListParams::default())))
        {
            Ok(found) => Ok(found.into_iter().flatten().filter(takes_pods).collect()),
            Err(EngineError::Stopped) => Err(EngineError::Stopped),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Waits until the service account of the namespace exists: the cluster refuses pods until then.
    async fn wait_for_account(&self) -> Result<(), EngineError> {
        let accounts: Api<ServiceAccount> = self.connection.objects();
        let began = Instant::now();
        loop {
            match answer("read the service account", accounts.get("default")).await {
                Ok(None) if began.elapsed() < ACCOUNT_TIMEOUT => tokio::time::sleep(POLL_INTERVAL).await,
                Ok(None) => {
                    let namespace = &self.connection.namespace;
                    let reason = format!(
                        "the namespace {namespace} has no service account named default; does the namespace exist?"
                    );
                    return Err(failed("start pods", reason));
                }
                // A user who may not read the account gets the error of the missing account when creating pods.
                Ok(Some(_)) | Err(_) => return Ok(()),
            }
        }
    }

    async fn create(&self, pod: &Pod) -> Result<(), EngineError> {
        let api = self.pods();
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let parameters = PostParams::default();
        let action = format!("create the pod {name}");
        match tokio::time::timeout(ACCOUNT_TIMEOUT, api.create(&parameters, pod)).await {
            // A killed runner has left a pod of the same launch. The pod belongs to this run, because its name
            // contains the run's id.
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => {
                running::delete(&api, name).await?;
                answer(&action, api.create(&parameters, pod)).await.map(|_| ())
            }
            Ok(Err(error)) => answer(&action, async { Err::<Pod, _>(error) }).await.map(|_| ()),
            Ok(Ok(_)) => Ok(()),
            Err(_) => Err(failed(&action, "the cluster does not answer")),
        }
    }

    /// Waits until all containers of a pod run, and returns the pod's address.
    async fn wait_until_running(&self, name: &str) -> Result<IpAddr, EngineError> {
        let action = format!("start the pod {name}");
        let api = self.pods();
        let began = Instant::now();
        loop {
            let pod = answer(&action, api.get(name)).await?;
            let pod = pod.ok_or_else(|| failed(&action, "somebody deleted it"))?;
            if let Some(address) = running_address(&pod) {
                return Ok(address);
            }
            if let Some(reason) = start_failure(&pod, began.elapsed()) {
                return Err(failed(&action, reason));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn pull(&self) -> ImagePull {
        self.pull.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Creates pods, one after the other, and waits until each runs.
    fn create_all(&self, pods: Vec<Pod>) -> Result<Box<dyn RunningContainers>, EngineError> {
        // From here on, dropping the value deletes the pods that have been created.
        let mut launch = PodLaunch {
            connection: Arc::clone(&self.connection),
            containers: BTreeMap::new(),
            names: Vec::new(),
        };
        self.connection.wait(self.wait_for_account())?;
        for pod in pods {
            let name = pod.metadata.name.clone().unwrap_or_default();
            launch.names.push(name.clone());
            let address = self.connection.wait(async {
                self.create(&pod).await?;
                self.wait_until_running(&name).await
            })?;
            let names = pod.spec.into_iter().flat_map(|spec| spec.containers);
            launch
                .containers
                .extend(names.map(|container| (container.name, (name.clone(), address))));
        }
        Ok(Box::new(launch))
    }

    /// Returns the connection to the cluster.
    #[must_use]
    pub fn connection(&self) -> Arc<ClusterConnection> {
        Arc::clone(&self.connection)
    }

    /// Returns the name under which nodes know an image, and its pull policy.
    #[must_use]
    pub fn image_on_nodes(&self, image: &Image) -> (String, &'static str) {
        self.pull().image(image)
    }

    /// Starts the load generator for copies of an application, on their node or on another one.
    ///
    /// # Errors
    /// When there is no such node, or as [`Engine::start`].
    pub fn start_load_generator(
        &self,
        owner: &Owner,
        image: &Image,
        load_generator: &ContainerSpec,
    ) -> Result<Box<dyn RunningContainers>, EngineError> {
        let names = self.node_names()?;
        let node = match self.settings.placement {
            PodPlacement::Node => names.first(),
            PodPlacement::Nodes => names.get(1),
            PodPlacement::Pod => None,
        };
        let node = node.ok_or_else(|| {
            let reason =
                "applications are measured from another pod: kubernetes-node, or kubernetes-nodes with two nodes";
            failed("place the load generator", reason)
        })?;
        let pull = self.pull();
        let launch = LaunchPods {
            placement: PodPlacement::Pod,
            owner,
            image,
            pull: &pull,
            share: NodeShare::of(&self.nodes()?, 1),
        };
        let mut pods = pods(&launch, std::slice::from_ref(load_generator));
        let hostname = BTreeMap::from([("kubernetes.io/hostname".to_owned(), node.clone())]);
        for spec in pods.iter_mut().filter_map(|pod| pod.spec.as_mut()) {
            spec.node_selector = Some(hostname.clone());
        }
        self.create_all(pods)
    }

    /// Returns the names of the nodes that take pods, sorted; at least one.
    ///
    /// # Errors
    /// When this user may not list nodes, or no node takes pods.
    pub fn node_names(&self) -> Result<Vec<String>, EngineError> {
        let label = |node: Node| node.metadata.labels?.remove("kubernetes.io/hostname");
        let mut names: Vec<String> = self.nodes()?.into_iter().filter_map(label).collect();
        names.sort();
        if names.is_empty() {
            return Err(failed(
                "choose a node",
                "no node takes pods, or this user may not list nodes",
            ));
        }
        Ok(names)
    }
}

/// Returns true when the node takes pods without tolerations.
fn takes_pods(node: &Node) -> bool {
    let spec = node.spec.as_ref();
    let taints = spec.and_then(|spec| spec.taints.as_ref()).into_iter().flatten();
    let mut effects = taints.map(|taint| taint.effect.as_str());
    spec.and_then(|spec| spec.unschedulable) != Some(true) && !effects.any(|effect| effect != "PreferNoSchedule")
}

/// Writes the image into a file for other programs.
fn archive(image: &Image) -> Result<NamedTempFile, EngineError> {
    let failed = |error| EngineError::file(std::env::temp_dir())(error);
    let mut file = tempfile::Builder::new().suffix(".tar").tempfile().map_err(failed)?;
    file.write_all(&image.archive).map_err(failed)?;
    Ok(file)
}

impl Engine for Kubernetes {
    fn facts(&self) -> Result<BTreeMap<String, String>, EngineError> {
        let client = self.connection.client.clone();
        let version = self
            .connection
            .wait(answer("read its version", client.apiserver_version()))?;
        let version = version.ok_or_else(|| failed("read its version", "it has none; is it a Kubernetes?"))?;
        let mut facts = BTreeMap::from([
            ("engine".to_owned(), format!("Kubernetes {}", version.git_version)),
            ("context".to_owned(), self.connection.context.clone()),
            ("namespace".to_owned(), self.connection.namespace.clone()),
            ("topology".to_owned(), self.settings.placement.name().to_owned()),
        ]);
        let nodes: Api<Node> = self.connection.global();
        // A user who may not list nodes can measure without these facts.
        if let Ok(Some(nodes)) = self
            .connection
            .wait(answer("list nodes", nodes.list(&ListParams::default())))
        {
            for node in nodes {
                let info = node.status.and_then(|status| status.node_info);
                if let (Some(name), Some(info)) = (node.metadata.name, info) {
                    facts.insert(
                        format!("node {name}"),
                        format!(
                            "{}, {}, Linux {}",
                            info.kubelet_version, info.container_runtime_version, info.kernel_version
                        ),
                    );
                }
            }
        }
        Ok(facts)
    }

    fn load(&self, image: &Image) -> Result<(), EngineError> {
        let commands = CommandRunner::new(Arc::clone(&self.settings.stop));
        match &self.settings.delivery {
            ImageDelivery::Loaded | ImageDelivery::Registry(_) => Ok(()),
            ImageDelivery::Command(words) => commands.run(&CommandLine::new(words).arg(archive(image)?.path())),
            ImageDelivery::Provider(loader) => {
                if let Some(reference) = loader.load(&commands, archive(image)?.path(), &image.reference)? {
                    *self.pull.lock().unwrap_or_else(PoisonError::into_inner) = ImagePull::ByDigest(reference);
                }
                Ok(())
            }
        }
    }

    /// Does nothing: the image stays in the nodes, because there is no way to remove it that works in every cluster.
    fn unload(&self, _: &Image) -> Result<(), EngineError> {
        Ok(())
    }

    fn start(
        &self,
        owner: &Owner,
        image: &Image,
        containers: &[ContainerSpec],
    ) -> Result<Box<dyn RunningContainers>, EngineError> {
        let arms = containers
            .iter()
            .filter(|container| container.role != ContainerRole::LoadGenerator)
            .count();
        let pull = self.pull();
        let launch = LaunchPods {
            placement: self.settings.placement,
            owner,
            image,
            pull: &pull,
            share: NodeShare::of(&self.nodes()?, arms),
        };
        self.create_all(pods(&launch, containers))
    }

    fn leftovers(&self, run: Option<&str>) -> Result<Vec<Leftover>, EngineError> {
        let selector = run.map_or_else(|| Owner::RUN.to_owned(), |run| format!("{}={run}", Owner::RUN));
        let parameters = ListParams::default().labels(&selector);
        let (pods, namespaces) = (self.pods(), self.connection.global::<Namespace>());
        let found = self.connection.wait(answer("list pods", pods.list(&parameters)))?;
        let found = found.into_iter().flatten().map(|pod| ("pod", pod.metadata));
        // A user who may not list namespaces has made none.
        let others = self
            .connection
            .wait(answer("list namespaces", namespaces.list(&parameters)));
        let others = others.ok().flatten().into_iter().flatten();
        let all = found.chain(others.map(|namespace| ("namespace", namespace.metadata)));
        let leftovers = all.filter_map(|(kind, metadata)| {
            let name = metadata.name?;
            Some(Leftover {
                kind,
                id: name.clone(),
                name,
                run: metadata.labels?.remove(Owner::RUN),
            })
        });
        Ok(leftovers.collect())
    }

    fn remove(&self, leftover: &Leftover) -> Result<(), EngineError> {
        if leftover.kind == "namespace" {
            let namespaces = self.connection.global();
            return self
                .connection
                .finish(running::remove_namespace(&namespaces, &leftover.id));
        }
        self.connection.finish(running::delete(&self.pods(), &leftover.id))
    }
}
