//! A connection to a cluster, for blocking code, and waiting that a signal ends.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use kube::api::Api;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::ENGINE;
use crate::container::Stop;
use crate::container::blocking::Blocking;
use crate::error::Error;

/// How long the cluster may take to answer a request.
const ANSWER: Duration = Duration::from_secs(30);

/// A connection.
pub(crate) struct Connection {
    blocking: Blocking,
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) context: String,
}

impl Connection {
    /// Connects by a kubeconfig, or by what `KUBECONFIG` and `~/.kube/config` say.
    pub(crate) fn open(
        kubeconfig: Option<&Path>,
        context: Option<&str>,
        namespace: Option<&str>,
        stop: Stop,
    ) -> Result<Self, Error> {
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
        let shown = context.map_or_else(|| found.current_context.clone().unwrap_or_default(), str::to_owned);
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
            context: shown,
        })
    }

    /// Objects of a kind in the namespace.
    pub(crate) fn objects<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Objects of a kind that belong to no namespace.
    pub(crate) fn global<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::ClusterResourceScope>,
        K::DynamicType: Default,
    {
        Api::all(self.client.clone())
    }

    /// Waits for something, until a signal comes.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.blocking.stoppable(work)
    }

    /// Waits for something that no signal may interrupt: removal.
    pub(crate) fn finish<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.blocking.finish(work)
    }
}

/// A request that must be answered in time; none is an object that is not there.
pub(crate) async fn answer<T>(
    action: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<Option<T>, Error> {
    match tokio::time::timeout(ANSWER, request).await {
        Ok(Ok(object)) => Ok(Some(object)),
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => Ok(None),
        Ok(Err(kube::Error::Api(status))) => Err(failed(action, status.message)),
        Ok(Err(error)) => Err(failed(action, with_sources(&error))),
        Err(_) => Err(failed(action, format!("no answer within {} s", ANSWER.as_secs()))),
    }
}

/// An error with all that caused it: the client's own say little.
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

/// An error of this engine.
pub(crate) fn failed(action: &str, reason: impl ToString) -> Error {
    Error::Engine {
        engine: ENGINE,
        action: action.to_owned(),
        reason: reason.to_string(),
    }
}
