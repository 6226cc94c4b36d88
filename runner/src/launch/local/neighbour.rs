//! A neighbour: a program that works beside a launch's servers and prober, as another tenant of the machine does.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use isolation::Pod;
use model::{IsolationLevel, ResourceLimits};
use serde::{Deserialize, Serialize};

use crate::launch::local::server::{Ready, Server, Start};
use crate::launch::spec::LaunchSpec;
use crate::program::found;

/// The table `[neighbour]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Neighbour {
    /// A program that goes on until it is killed, and its arguments.
    pub(crate) command: Vec<String>,
    #[serde(default)]
    pub(crate) cpus: Cpus,
    /// What its control group allows it, which can be its dose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<ResourceLimits>,
}

/// Where it works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cpus {
    /// On the servers' processor.
    #[default]
    Arms,
    /// On the prober's.
    Loadgen,
    /// On all that the runner may use.
    All,
}

impl Neighbour {
    pub(crate) fn validate(&self) -> Result<()> {
        ensure!(
            !self.command.is_empty(),
            "[neighbour] command: empty; expected a program and its arguments"
        );
        Ok(())
    }

    /// Why it cannot be started on this machine.
    pub(crate) fn lacking(&self) -> Option<String> {
        let program = self.command.first()?;
        found(Path::new(program))
            .is_none()
            .then(|| format!("neighbour: {program} is not installed; on Debian, try `apt-get install {program}`"))
    }

    /// Starts it: in its own control group where there are some, and in a network namespace of its own, so that its sockets
    /// are not counted as the prober's or a server's.
    pub(crate) fn start(&self, spec: &LaunchSpec) -> Result<Server> {
        let folder = spec.folder.join("neighbour");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let pod = (spec.level != IsolationLevel::Loopback).then(Pod::new).transpose()?;
        Server::start(Start {
            cpu: match self.cpus {
                Cpus::Arms => Some(spec.cpus.arms),
                Cpus::Loadgen => Some(spec.cpus.loadgen),
                Cpus::All => None,
            },
            group: spec.groups.neighbour.clone(),
            command: self.command.iter().map(Into::into).collect(),
            environment: Vec::new(),
            ready: Ready::Runs,
            pod: pod.map(Rc::new),
            sidecar: false,
            directory: Some(folder),
        })
        .context("neighbour")
    }
}

/// Ends it, or says that it has ended before.
pub(crate) fn end(neighbour: Option<Server>) -> Result<Option<String>> {
    let Some(mut neighbour) = neighbour else {
        return Ok(None);
    };
    let ended = neighbour.ended()?;
    if ended.is_none() {
        neighbour.stop(false)?;
    }
    Ok(ended.map(|fault| format!("the neighbour did not work all the time: {fault}")))
}
