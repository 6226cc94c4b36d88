//! The running containers of one launch.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{InspectContainerOptions, LogsOptionsBuilder};
use futures_util::StreamExt as _;

use super::connection::{DockerConnection, is_gone};
use super::{exec, remove};
use crate::container::{CommandOutcome, ContainerState, Owner};
use crate::engine::{OutputListener, RunningContainers};
use crate::error::EngineError;

/// A container that was started.
#[derive(Debug)]
pub(super) struct StartedContainer {
    name: String,
    id: String,
    address: Option<IpAddr>,
}

impl StartedContainer {
    /// Reads the container's address on the launch's network.
    pub(super) fn new(name: &str, id: String, network: &str, inspected: &ContainerInspectResponse) -> Self {
        let networks = inspected
            .network_settings
            .as_ref()
            .and_then(|all| all.networks.as_ref());
        let address = networks
            .and_then(|networks| networks.get(network)?.ip_address.as_ref())
            .and_then(|address| address.parse().ok());
        Self {
            name: name.to_owned(),
            id,
            address,
        }
    }
}

/// The containers of one launch.
#[derive(Debug)]
pub(super) struct DockerLaunch {
    connection: Rc<DockerConnection>,
    owner: Owner,
    containers: Vec<StartedContainer>,
    removed: bool,
}

impl DockerLaunch {
    pub(super) fn new(connection: &Rc<DockerConnection>, owner: Owner) -> Self {
        Self {
            connection: Rc::clone(connection),
            owner,
            containers: Vec::new(),
            removed: false,
        }
    }

    /// Adds containers. Each must have an address; a container that ended at once has none.
    pub(super) fn with(mut self, containers: Vec<StartedContainer>) -> Result<Self, EngineError> {
        self.containers = containers;
        for container in &self.containers {
            self.address(&container.name)?;
        }
        Ok(self)
    }

    fn find(&self, container: &str) -> Result<&StartedContainer, EngineError> {
        let found = self.containers.iter().find(|started| started.name == container);
        found.ok_or_else(|| {
            let action = format!("find the container {container}");
            self.connection.blocking.error(&action, &"it was not started")
        })
    }

    fn inspect(&self, container: &str) -> Result<Option<ContainerInspectResponse>, EngineError> {
        let id = &self.find(container)?.id;
        let inspected = async {
            match self
                .connection
                .api
                .inspect_container(id, None::<InspectContainerOptions>)
                .await
            {
                Ok(inspected) => Ok(Some(inspected)),
                Err(error) if is_gone(&error) => Ok(None),
                Err(error) => Err(error),
            }
        };
        let action = format!("inspect the container {container}");
        self.connection.blocking.wait(&action, inspected)
    }
}

impl RunningContainers for DockerLaunch {
    fn address(&self, container: &str) -> Result<IpAddr, EngineError> {
        let address = self.find(container)?.address;
        address.ok_or_else(|| {
            let log = self.log(container).unwrap_or_default();
            let reason = format!(
                "it has none; it may have ended at once, with the output: {}",
                log.trim()
            );
            let action = format!("find the address of the container {container}");
            self.connection.blocking.error(&action, &reason)
        })
    }

    fn exec(
        &self,
        container: &str,
        command: &[&str],
        stdin: &[u8],
        listener: &mut dyn OutputListener,
    ) -> Result<CommandOutcome, EngineError> {
        let id = &self.find(container)?.id;
        let action = format!("run `{}` in the container {container}", command.join(" "));
        let run = exec::exec(&self.connection, id, command, stdin, listener);
        self.connection.blocking.wait(&action, run)
    }

    fn log(&self, container: &str) -> Result<String, EngineError> {
        let id = &self.find(container)?.id;
        let read = async {
            let options = LogsOptionsBuilder::new().stdout(true).stderr(true).build();
            let mut lines = std::pin::pin!(self.connection.api.logs(id, Some(options)));
            let mut text = String::new();
            while let Some(line) = lines.next().await {
                text.push_str(&line?.to_string());
            }
            Ok::<_, bollard::errors::Error>(text)
        };
        let action = format!("read the log of the container {container}");
        self.connection.blocking.wait_uninterrupted(&action, read)
    }

    fn state(&self, container: &str) -> Result<ContainerState, EngineError> {
        let Some(state) = self
            .inspect(container)?
            .map(|inspected| inspected.state.unwrap_or_default())
        else {
            return Ok(ContainerState::Gone);
        };
        Ok(if state.running == Some(true) {
            ContainerState::Running
        } else {
            ContainerState::Ended {
                code: state.exit_code.unwrap_or_default(),
                out_of_memory: state.oom_killed == Some(true),
            }
        })
    }

    fn placement(&self, container: &str) -> Result<BTreeMap<String, String>, EngineError> {
        let host = self.inspect(container)?.and_then(|inspected| inspected.host_config);
        let host = host.unwrap_or_default();
        let mut placement = BTreeMap::new();
        for (name, value) in [
            ("processors", host.cpuset_cpus),
            ("nano_cpus", host.nano_cpus.map(|value| value.to_string())),
            ("memory_bytes", host.memory.map(|value| value.to_string())),
        ] {
            placement.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(placement)
    }

    fn remove(mut self: Box<Self>) -> Result<(), EngineError> {
        self.removed = true;
        remove::launch(&self.connection, &self.owner)
    }
}

impl Drop for DockerLaunch {
    fn drop(&mut self) {
        if !self.removed
            && let Err(error) = remove::launch(&self.connection, &self.owner)
        {
            eprintln!("{error}; `cargo xtask cluster down` removes the rest");
        }
    }
}
