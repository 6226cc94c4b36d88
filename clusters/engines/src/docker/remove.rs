//! Finding and removing the resources with this project's labels.

use std::collections::HashMap;

use bollard::errors::Error as Refused;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder,
};

use super::connection::{DockerConnection, is_busy, is_gone};
use crate::container::{Leftover, Owner};
use crate::error::EngineError;
use crate::image::Image;

/// In the order of removal: a network or an image in use cannot be removed.
const KINDS: [&str; 3] = ["container", "network", "image"];

/// Returns all resources with these labels; with `images`, the images of this project too.
async fn labelled(connection: &DockerConnection, labels: Vec<String>, images: bool) -> Result<Vec<Leftover>, Refused> {
    let api = &connection.api;
    let filters = HashMap::from([("label", labels)]);
    let mut found = Vec::new();
    let run = |labels: Option<HashMap<String, String>>| labels.and_then(|labels| labels.get(Owner::RUN).cloned());
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    for container in api.list_containers(Some(options)).await? {
        let id = container.id.unwrap_or_default();
        let name = container.names.unwrap_or_default().concat();
        found.push(Leftover {
            kind: KINDS[0],
            name: name.trim_start_matches('/').to_owned(),
            id,
            run: run(container.labels),
        });
    }
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    for network in api.list_networks(Some(options)).await? {
        found.push(Leftover {
            kind: KINDS[1],
            id: network.id.unwrap_or_default(),
            name: network.name.unwrap_or_default(),
            run: run(network.labels),
        });
    }
    if images {
        let filters = HashMap::from([("label", vec![Image::LABEL])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        for image in api.list_images(Some(options)).await? {
            found.push(Leftover {
                kind: KINDS[2],
                name: image.repo_tags.join(" "),
                id: image.id,
                run: None,
            });
        }
    }
    Ok(found)
}

/// Returns the resources of one run, or of all runs together with the images.
pub(super) fn leftovers(connection: &DockerConnection, run: Option<&str>) -> Result<Vec<Leftover>, EngineError> {
    let label = run.map_or_else(|| Owner::RUN.to_owned(), |run| format!("{}={run}", Owner::RUN));
    let found = labelled(connection, vec![label], run.is_none());
    connection.blocking.wait_uninterrupted("list leftovers", found)
}

async fn remove_resource(connection: &DockerConnection, leftover: &Leftover) -> Result<(), Refused> {
    let api = &connection.api;
    let id = &leftover.id;
    let result = match leftover.kind {
        "container" => {
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            api.remove_container(id, Some(options)).await
        }
        "network" => api.remove_network(id).await,
        _ => {
            let options = RemoveImageOptionsBuilder::new().force(true).build();
            api.remove_image(id, Some(options), None).await.map(|_| ())
        }
    };
    match result {
        Err(error) if is_gone(&error) || (leftover.kind == "container" && is_busy(&error)) => Ok(()),
        other => other,
    }
}

/// Removes a resource.
pub(super) fn one(connection: &DockerConnection, leftover: &Leftover) -> Result<(), EngineError> {
    let action = format!("remove the {} {}", leftover.kind, leftover.name);
    connection
        .blocking
        .wait_uninterrupted(&action, remove_resource(connection, leftover))
}

/// Removes all resources of a launch, even if one of them cannot be removed, and returns the first error.
pub(super) fn launch(connection: &DockerConnection, owner: &Owner) -> Result<(), EngineError> {
    let labels = owner
        .labels()
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"));
    let found = labelled(connection, labels.collect(), false);
    let found = connection
        .blocking
        .wait_uninterrupted("list the launch's containers", found)?;
    let mut result = Ok(());
    for leftover in &found {
        result = result.and(one(connection, leftover));
    }
    result
}
