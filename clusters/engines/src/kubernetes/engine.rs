//! Pods as containers of a launch: created, waited for, found again, removed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Namespace, Node, Pod, ServiceAccount};
use kube::api::{Api, ListParams, PostParams};
use serde_json::Value;
use tempfile::NamedTempFile;

use super::client::{Connection, answer, failed};
use super::manifest::{Pull, Recipe, Topology, pods};
use super::running::{self, Pods};
use super::share::Share;
use super::starting::{hopeless, ready};
use crate::application::{Application, Copies};
use crate::commands::{Commands, Line};
use crate::container::{ContainerSpec, Engine, Leftover, Owner, Role, Running, Stop};
use crate::error::Error;
use crate::image::Image;
use crate::inject::Injection;
use crate::provision::{EksCluster, KindCluster};

/// How long the namespace's service account may take to be made.
const ACCOUNT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// How the image comes to the nodes.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// It has been loaded into every node.
    Loaded,
    /// A command loads it, such as `k3s ctr images import`; the archive is added to it.
    Command(Vec<String>),
    /// Nodes pull it by this reference, which has a digest.
    Registry(String),
    /// kind loads it.
    Kind(KindCluster),
    /// It is pushed to the cluster's own repository.
    Eks(Box<EksCluster>),
}

/// Which cluster, and how it is used.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What `KUBECONFIG` or `~/.kube/config` says, if none.
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's current context, if none.
    pub context: Option<String>,
    /// The context's namespace, if none.
    pub namespace: Option<String>,
    /// Where containers are.
    pub topology: Topology,
    /// How the image comes to the nodes.
    pub delivery: Delivery,
    /// Ends every wait.
    pub stop: Stop,
}

/// A cluster.
pub struct Kubernetes {
    connection: Arc<Connection>,
    settings: Settings,
    pull: Mutex<Pull>,
}

impl Kubernetes {
    /// Connects; whether the cluster answers is seen at the first use.
    ///
    /// # Errors
    /// When there is no usable kubeconfig.
    pub fn connect(settings: Settings) -> Result<Self, Error> {
        let connection = Connection::open(
            settings.kubeconfig.as_deref(),
            settings.context.as_deref(),
            settings.namespace.as_deref(),
            Arc::clone(&settings.stop),
        )?;
        let pull = match &settings.delivery {
            Delivery::Registry(reference) if !reference.contains("@sha256:") => {
                let reason = "expected a reference with its digest, REGISTRY/NAME@sha256:…";
                return Err(failed(&format!("pull {reference}"), reason));
            }
            Delivery::Registry(reference) => Pull::ByDigest(reference.clone()),
            _ => Pull::Never,
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

    /// Nodes that take pods; none for who may not look at them, who measures all the same.
    fn nodes(&self) -> Result<Vec<Node>, Error> {
        let nodes: Api<Node> = self.connection.global();
        match self
            .connection
            .wait(answer("list nodes", nodes.list(&ListParams::default())))
        {
            Ok(found) => Ok(found.into_iter().flatten().filter(takes_pods).collect()),
            Err(Error::Stopped) => Err(Error::Stopped),
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn account(&self) -> Result<(), Error> {
        let accounts: Api<ServiceAccount> = self.connection.objects();
        let began = Instant::now();
        loop {
            match answer("look at the service account", accounts.get("default")).await {
                Ok(None) if began.elapsed() < ACCOUNT => tokio::time::sleep(POLL).await,
                Ok(None) => {
                    let namespace = &self.connection.namespace;
                    let reason = format!("the namespace {namespace} has none named default; does the namespace exist?");
                    return Err(failed("start pods", reason));
                }
                // Who may not look at it will hear of its absence when creating pods.
                Ok(Some(_)) | Err(_) => return Ok(()),
            }
        }
    }

    async fn create(&self, pod: &Pod) -> Result<(), Error> {
        let api = self.pods();
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let parameters = PostParams::default();
        let action = format!("create the pod {name}");
        match tokio::time::timeout(ACCOUNT, api.create(&parameters, pod)).await {
            // Of the same launch, from a runner that was killed: names have the run's id.
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => {
                running::delete(&api, name).await?;
                answer(&action, api.create(&parameters, pod)).await.map(|_| ())
            }
            Ok(Err(error)) => answer(&action, async { Err::<Pod, _>(error) }).await.map(|_| ()),
            Ok(Ok(_)) => Ok(()),
            Err(_) => Err(failed(&action, "the cluster does not answer")),
        }
    }

    /// Waits until all of a pod's containers run; returns its address.
    async fn runs(&self, name: &str) -> Result<IpAddr, Error> {
        let action = format!("start the pod {name}");
        let api = self.pods();
        let began = Instant::now();
        loop {
            let pod = answer(&action, api.get(name)).await?;
            let pod = pod.ok_or_else(|| failed(&action, "somebody deleted it"))?;
            if let Some(address) = ready(&pod) {
                return Ok(address);
            }
            if let Some(reason) = hopeless(&pod, began.elapsed()) {
                return Err(failed(&action, reason));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn pull(&self) -> Pull {
        self.pull.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Creates pods, one after the other, and waits until each runs.
    fn create_all(&self, pods: Vec<Pod>) -> Result<Box<dyn Running>, Error> {
        // From here on dropping it deletes what has been created.
        let mut launch = Pods {
            connection: Arc::clone(&self.connection),
            containers: BTreeMap::new(),
            names: Vec::new(),
        };
        self.connection.wait(self.account())?;
        for pod in pods {
            let name = pod.metadata.name.clone().unwrap_or_default();
            launch.names.push(name.clone());
            let address = self.connection.wait(async {
                self.create(&pod).await?;
                self.runs(&name).await
            })?;
            let names = pod.spec.into_iter().flat_map(|spec| spec.containers);
            launch
                .containers
                .extend(names.map(|container| (container.name, (name.clone(), address))));
        }
        Ok(Box::new(launch))
    }

    /// Copies of an application, to be added one by one, all on the first node.
    ///
    /// # Errors
    /// When nodes may not be looked at.
    pub fn copies(&self, application: &Application, objects: Vec<Value>) -> Result<Copies, Error> {
        let node = self.node_names()?.remove(0);
        let connection = Arc::clone(&self.connection);
        Ok(Copies::new(connection, application.clone(), objects, node))
    }

    /// Starts a prober for copies of an application, on their node or on another one.
    ///
    /// # Errors
    /// When there is no such node, or as [`Engine::start`].
    pub fn prober(&self, owner: &Owner, image: &Image, prober: &ContainerSpec) -> Result<Box<dyn Running>, Error> {
        let names = self.node_names()?;
        let node = match self.settings.topology {
            Topology::Node => names.first(),
            Topology::Nodes => names.get(1),
            Topology::Pod => None,
        };
        let node = node.ok_or_else(|| {
            let reason =
                "applications are measured from another pod: kubernetes-node, or kubernetes-nodes with two nodes";
            failed("place the prober", reason)
        })?;
        let pull = self.pull();
        let recipe = Recipe {
            topology: Topology::Pod,
            owner,
            image,
            pull: &pull,
            share: Share::of(&self.nodes()?, 1),
        };
        let mut pods = pods(&recipe, std::slice::from_ref(prober));
        let hostname = BTreeMap::from([("kubernetes.io/hostname".to_owned(), node.clone())]);
        for spec in pods.iter_mut().filter_map(|pod| pod.spec.as_mut()) {
            spec.node_selector = Some(hostname.clone());
        }
        self.create_all(pods)
    }

    /// What puts the hook of an image into workloads, by the name that the nodes know.
    #[must_use]
    pub fn injection(&self, image: &Image, variables: BTreeMap<String, String>) -> Injection {
        let (image, pull_policy) = self.pull().image(image);
        Injection {
            image,
            pull_policy: pull_policy.to_owned(),
            containers: Vec::new(),
            variables,
        }
    }

    /// Names of the nodes that take pods, at least one.
    fn node_names(&self) -> Result<Vec<String>, Error> {
        let label = |node: Node| node.metadata.labels?.remove("kubernetes.io/hostname");
        let mut names: Vec<String> = self.nodes()?.into_iter().filter_map(label).collect();
        names.sort();
        if names.is_empty() {
            return Err(failed("choose a node", "none is to be seen; may this user list nodes?"));
        }
        Ok(names)
    }
}

/// Whether pods without tolerations may come to the node.
fn takes_pods(node: &Node) -> bool {
    let spec = node.spec.as_ref();
    let taints = spec.and_then(|spec| spec.taints.as_ref()).into_iter().flatten();
    let mut effects = taints.map(|taint| taint.effect.as_str());
    spec.and_then(|spec| spec.unschedulable) != Some(true) && !effects.any(|effect| effect != "PreferNoSchedule")
}

/// The image as a file, for other programs.
fn archive(image: &Image) -> Result<NamedTempFile, Error> {
    let failed = |error| Error::file(std::env::temp_dir())(error);
    let mut file = tempfile::Builder::new().suffix(".tar").tempfile().map_err(failed)?;
    file.write_all(&image.archive).map_err(failed)?;
    Ok(file)
}

impl Engine for Kubernetes {
    fn facts(&self) -> Result<BTreeMap<String, String>, Error> {
        let client = self.connection.client.clone();
        let version = self
            .connection
            .wait(answer("ask for its version", client.apiserver_version()))?;
        let version = version.ok_or_else(|| failed("ask for its version", "it does not say; is it a Kubernetes?"))?;
        let mut facts = BTreeMap::from([
            ("engine".to_owned(), format!("Kubernetes {}", version.git_version)),
            ("context".to_owned(), self.connection.context.clone()),
            ("namespace".to_owned(), self.connection.namespace.clone()),
            ("topology".to_owned(), self.settings.topology.name().to_owned()),
        ]);
        let nodes: Api<Node> = self.connection.global();
        // Who may not look at nodes measures all the same.
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

    fn load(&self, image: &Image) -> Result<(), Error> {
        let commands = Commands::new(Arc::clone(&self.settings.stop));
        match &self.settings.delivery {
            Delivery::Loaded | Delivery::Registry(_) => Ok(()),
            Delivery::Command(words) => commands.run(&Line::new(words).arg(archive(image)?.path())),
            Delivery::Kind(cluster) => cluster.load(&commands, archive(image)?.path()),
            Delivery::Eks(cluster) => {
                let reference = cluster.load(&commands, archive(image)?.path(), &image.reference)?;
                *self.pull.lock().unwrap_or_else(PoisonError::into_inner) = Pull::ByDigest(reference);
                Ok(())
            }
        }
    }

    /// What was loaded into nodes goes with them: there is no way to take it out that every cluster knows.
    fn unload(&self, _: &Image) -> Result<(), Error> {
        Ok(())
    }

    fn start(&self, owner: &Owner, image: &Image, containers: &[ContainerSpec]) -> Result<Box<dyn Running>, Error> {
        let arms = containers
            .iter()
            .filter(|container| container.role != Role::Loadgen)
            .count();
        let pull = self.pull();
        let recipe = Recipe {
            topology: self.settings.topology,
            owner,
            image,
            pull: &pull,
            share: Share::of(&self.nodes()?, arms),
        };
        self.create_all(pods(&recipe, containers))
    }

    fn leftovers(&self, run: Option<&str>) -> Result<Vec<Leftover>, Error> {
        let selector = run.map_or_else(|| Owner::RUN.to_owned(), |run| format!("{}={run}", Owner::RUN));
        let parameters = ListParams::default().labels(&selector);
        let (pods, namespaces) = (self.pods(), self.connection.global::<Namespace>());
        let found = self.connection.wait(answer("list pods", pods.list(&parameters)))?;
        let found = found.into_iter().flatten().map(|pod| ("pod", pod.metadata));
        // Who may not look at namespaces has made none.
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

    fn kubernetes(&self) -> Option<&Kubernetes> {
        Some(self)
    }

    fn remove(&self, leftover: &Leftover) -> Result<(), Error> {
        if leftover.kind == "namespace" {
            let namespaces = self.connection.global();
            return self
                .connection
                .finish(running::remove_namespace(&namespaces, &leftover.id));
        }
        self.connection.finish(running::delete(&self.pods(), &leftover.id))
    }
}
