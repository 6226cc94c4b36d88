//! A connection to a cluster, for blocking code.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use kube::api::Api;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::blocking::Blocking;
use crate::error::EngineError;
use crate::stop::Stop;

/// The engine's name in errors.
const ENGINE: &str = "kubernetes";

/// Longest time for one answer of the cluster.
const ANSWER: Duration = Duration::from_secs(30);

/// A connection to a cluster.
pub struct ClusterConnection {
    blocking: Blocking,
    /// The client of the API.
    pub client: Client,
    /// The namespace in which objects are created.
    pub namespace: String,
    /// The kubeconfig's context.
    pub context: String,
}

impl ClusterConnection {
    /// Connects with a kubeconfig, or else with the files that `KUBECONFIG` names, or else with `~/.kube/config`.
    ///
    /// # Errors
    /// When there is no usable kubeconfig.
    pub fn open(
        kubeconfig: Option<&Path>,
        context: Option<&str>,
        namespace: Option<&str>,
        stop: Stop,
    ) -> Result<Self, EngineError> {
        let blocking = Blocking::new(ENGINE, stop)?;
        let options = KubeConfigOptions {
            context: context.map(str::to_owned),
            ..KubeConfigOptions::default()
        };
        let found = match kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let found = found.map_err(|error| {
            failed(
                "read a kubeconfig",
                format!("{error}; name one by KUBECONFIG, or bring a cluster up: `cargo xtask cluster up kind`"),
            )
        })?;
        let name = context.map_or_else(|| found.current_context.clone().unwrap_or_default(), str::to_owned);
        let action = "use the kubeconfig";
        let mut config = blocking.wait(action, Config::from_custom_kubeconfig(found, &options))?;
        config.connect_timeout = Some(Duration::from_secs(10));
        // Streams of commands are silent for as long as a launch lasts.
        config.read_timeout = None;
        let namespace = namespace.map_or_else(|| config.default_namespace.clone(), str::to_owned);
        let client = blocking.wait(action, async { Client::try_from(config) })?;
        Ok(Self {
            blocking,
            client,
            namespace,
            context: name,
        })
    }

    /// Returns the interface to the objects of a kind in the namespace.
    #[must_use]
    pub fn objects<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Returns the interface to the objects of a kind that belong to no namespace.
    #[must_use]
    pub fn global<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::ClusterResourceScope>,
        K::DynamicType: Default,
    {
        Api::all(self.client.clone())
    }

    /// Waits for a future, or until a signal comes.
    ///
    /// # Errors
    /// The error of the future, or [`EngineError::Stopped`].
    pub fn wait<T>(&self, work: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
        self.blocking.complete(work)
    }

    /// Waits for a future that no signal may interrupt, such as a removal.
    ///
    /// # Errors
    /// The error of the future.
    pub fn finish<T>(&self, work: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
        self.blocking.complete_uninterrupted(work)
    }
}

/// Waits for the answer to a request, at most 30 s. Returns `None` when the object does not exist. `action` completes
/// "cannot …".
///
/// # Errors
/// When the cluster refuses or does not answer in time.
pub async fn answer<T>(
    action: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<Option<T>, EngineError> {
    match tokio::time::timeout(ANSWER, request).await {
        Ok(Ok(object)) => Ok(Some(object)),
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => Ok(None),
        Ok(Err(kube::Error::Api(status))) => Err(failed(action, status.message)),
        Ok(Err(error)) => Err(failed(action, with_sources(&error))),
        Err(_) => Err(failed(action, format!("no answer within {} s", ANSWER.as_secs()))),
    }
}

/// Returns the message of an error and of its sources, because the client's own messages omit the sources.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Returns an error of this engine. `action` completes "cannot …".
pub fn failed(action: &str, reason: impl ToString) -> EngineError {
    EngineError::Engine {
        engine: ENGINE,
        action: action.to_owned(),
        reason: reason.to_string(),
    }
}
