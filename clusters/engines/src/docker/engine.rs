//! The engine: images, networks and containers of launches.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bollard::errors::Error as Refused;
use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ImportImageOptionsBuilder, InspectContainerOptions, RemoveImageOptionsBuilder,
    StartContainerOptions,
};
use futures_util::StreamExt as _;

use super::connection::{DockerConnection, connect, is_busy, is_gone};
use super::running::StartedContainer;
use super::{create, remove, running};
use crate::container::{ContainerSpec, Leftover, Owner};
use crate::engine::{Engine, RunningContainers};
use crate::error::EngineError;
use crate::image::Image;
use crate::stop::Stop;

/// A connected engine.
#[derive(Debug)]
pub struct Docker {
    connection: Rc<DockerConnection>,
    /// True when this value loaded the image.
    loaded_image: Cell<bool>,
}

impl Docker {
    /// Connects to `host` (`unix:///run/podman/podman.sock`, `tcp://…`), or else to `DOCKER_HOST`, or else to the first socket
    /// of Docker or Podman that exists.
    ///
    /// # Errors
    /// When no engine answers; the error says how to get one.
    pub fn connect(host: Option<&str>, stop: Stop) -> Result<Self, EngineError> {
        let connection = Rc::new(connect(host, stop)?);
        Ok(Self {
            connection,
            loaded_image: Cell::new(false),
        })
    }

    async fn load_image(&self, image: &Image) -> Result<(), Refused> {
        let api = &self.connection.api;
        match api.inspect_image(&image.reference).await {
            Ok(_) => return Ok(()),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
        self.loaded_image.set(true);
        let options = ImportImageOptionsBuilder::new().quiet(true).build();
        let archive = bollard::body_full(image.archive.clone().into());
        let mut answers = std::pin::pin!(api.import_image(options, archive, None));
        while let Some(answer) = answers.next().await {
            answer?;
        }
        api.inspect_image(&image.reference).await.map(|_| ())
    }

    async fn start_all(
        &self,
        owner: &Owner,
        image: &Image,
        containers: &[ContainerSpec],
    ) -> Result<Vec<StartedContainer>, Refused> {
        let api = &self.connection.api;
        let labels: HashMap<String, String> = owner.labels().into_iter().collect();
        let network = NetworkCreateRequest {
            name: owner.name(),
            driver: Some("bridge".to_owned()),
            // The containers can reach only each other.
            internal: Some(true),
            labels: Some(labels),
            ..Default::default()
        };
        api.create_network(network).await?;
        let mut started = Vec::new();
        for spec in containers {
            let name = format!("{}-{}", owner.name(), spec.name);
            let options = CreateContainerOptionsBuilder::new().name(&name).build();
            let body = create::request(&self.connection.info, owner, image, spec);
            let id = api.create_container(Some(options), body).await?.id;
            api.start_container(&id, None::<StartContainerOptions>).await?;
            let inspected = api.inspect_container(&id, None::<InspectContainerOptions>).await?;
            started.push(StartedContainer::new(&spec.name, id, &owner.name(), &inspected));
        }
        Ok(started)
    }
}

impl Engine for Docker {
    fn facts(&self) -> Result<BTreeMap<String, String>, EngineError> {
        let DockerConnection { info, version, .. } = &*self.connection;
        let cgroup = info.cgroup_version.map(|version| format!("cgroup v{version}"));
        let mut facts = BTreeMap::from([("engine".to_owned(), version.clone())]);
        for (name, value) in [
            ("system", info.operating_system.clone()),
            ("kernel", info.kernel_version.clone()),
            ("storage", info.driver.clone()),
            ("limits", cgroup),
        ] {
            facts.extend(value.map(|value| (name.to_owned(), value)));
        }
        for missing in create::missing_controls(info) {
            facts.insert(missing.to_owned(), "not supported by this engine".to_owned());
        }
        Ok(facts)
    }

    fn load(&self, image: &Image) -> Result<(), EngineError> {
        let action = format!("load the image {}", image.reference);
        self.connection.blocking.wait(&action, self.load_image(image))
    }

    fn unload(&self, image: &Image) -> Result<(), EngineError> {
        if !self.loaded_image.replace(false) {
            return Ok(());
        }
        let remove = async {
            let options = RemoveImageOptionsBuilder::new().build();
            let removed = self.connection.api.remove_image(&image.reference, Some(options), None);
            match removed.await {
                Ok(_) => Ok(()),
                Err(error) if is_gone(&error) || is_busy(&error) => Ok(()),
                Err(error) => Err(error),
            }
        };
        let action = format!("remove the image {}", image.reference);
        self.connection.blocking.wait_uninterrupted(&action, remove)
    }

    fn start(
        &self,
        owner: &Owner,
        image: &Image,
        containers: &[ContainerSpec],
    ) -> Result<Box<dyn RunningContainers>, EngineError> {
        // Another run may have removed the image at its end.
        self.load(image)?;
        let action = format!("start the containers of {}", owner.name());
        let started = self
            .connection
            .blocking
            .wait(&action, self.start_all(owner, image, containers));
        let running = running::DockerLaunch::new(&self.connection, owner.clone());
        match started.and_then(|started| running.with(started)) {
            Ok(running) => Ok(Box::new(running)),
            Err(error) => {
                // The first error is reported.
                _ = remove::launch(&self.connection, owner);
                Err(error)
            }
        }
    }

    fn leftovers(&self, run: Option<&str>) -> Result<Vec<Leftover>, EngineError> {
        remove::leftovers(&self.connection, run)
    }

    fn remove(&self, leftover: &Leftover) -> Result<(), EngineError> {
        remove::one(&self.connection, leftover)
    }
}
