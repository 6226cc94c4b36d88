//! A neighbour: a program that works beside a launch's servers and prober, as another tenant of the machine does.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result};
use isolation::ServerNamespace;
use model::{Anomaly, IsolationLevel, Neighbour, NeighbourCpus};

use crate::launch::local::server::{Ready, Server, Start};
use crate::launch::spec::LaunchSpec;
use crate::program::found;

/// Returns the reason why a neighbour cannot be started on this machine; `None` where it can.
pub(crate) fn lacking(neighbour: &Neighbour) -> Option<String> {
    let program = neighbour.command.first()?;
    found(Path::new(program))
        .is_none()
        .then(|| format!("neighbour: {program} is not installed; on Debian, try `apt-get install {program}`"))
}

/// Starts a neighbour: in its own control group where there are some, and in a network namespace of its own, so that its sockets
/// are not counted as the prober's or a server's.
pub(crate) fn start(neighbour: &Neighbour, spec: &LaunchSpec) -> Result<Server> {
    let folder = spec.folder.join("neighbour");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let pod = (spec.level != IsolationLevel::Loopback)
        .then(ServerNamespace::create)
        .transpose()?;
    Server::start(Start {
        cpu: match neighbour.cpus {
            NeighbourCpus::Arms => Some(spec.cpus.arms),
            NeighbourCpus::Loadgen => Some(spec.cpus.loadgen),
            NeighbourCpus::All => None,
        },
        group: spec.groups.neighbour.clone(),
        command: neighbour.command.iter().map(Into::into).collect(),
        environment: Vec::new(),
        ready: Ready::Runs,
        pod: pod.map(Rc::new),
        sidecar: false,
        directory: Some(folder),
    })
    .context("neighbour")
}

/// Stops the neighbour. Returns the anomaly if it had ended before.
pub(crate) fn end(neighbour: Option<Server>) -> Result<Option<Anomaly>> {
    let Some(mut neighbour) = neighbour else {
        return Ok(None);
    };
    let ended = neighbour.ended()?;
    if ended.is_none() {
        neighbour.stop(false)?;
    }
    Ok(ended.map(|fault| Anomaly::NeighbourEnded {
        how: format!("{}: {}; {}", fault.kind, fault.what, fault.output),
    }))
}
