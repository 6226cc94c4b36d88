//! What stands between the prober and each server: a process per arm and hop, beside the server as a sidecar is. No hook is
//! loaded into it.

pub(crate) mod jitter;
mod proxy;
pub(crate) mod relay;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use self::jitter::Jitter;
use self::proxy::Proxy;
use crate::definition::Experiment;
use crate::program::Prepared;
use crate::server::{Ready, Server, Start};
use crate::spec::LaunchSpec;

/// How long the outermost hop may take until a request has passed through all of them.
const START: Duration = Duration::from_secs(60);

/// One hop, the kind of which is its key in a definition. Files are named as a definition has it; recorded plans have what
/// they say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hop {
    /// A proxy that a file describes, such as `clusters/proxies/nginx.toml`.
    File(PathBuf),
    /// The same, as recorded.
    Proxy(Box<Proxy>),
    /// A relay of ours, which holds requests back for times that are distributed as a file says, such as
    /// `experiments/jitter/eks-nodes.toml`.
    Relay(PathBuf),
    /// The same, as recorded.
    Jitter(Jitter),
}

impl Hop {
    /// Puts what a file says in the place of its name.
    pub(crate) fn resolve(&mut self) -> Result<()> {
        match self {
            Self::File(path) => *self = Self::Proxy(Box::new(Proxy::read(path)?)),
            Self::Relay(path) => *self = Self::Jitter(Jitter::read(path)?),
            Self::Proxy(_) | Self::Jitter(_) => {}
        }
        Ok(())
    }

    pub(crate) fn validate(&self) -> Result<()> {
        match self {
            Self::Proxy(proxy) => proxy.validate(),
            Self::Jitter(jitter) => jitter.validate(),
            Self::File(_) | Self::Relay(_) => Ok(()),
        }
    }

    /// Why it cannot be started on this machine.
    pub(crate) fn lacking(&self) -> Option<String> {
        match self {
            Self::Proxy(proxy) => proxy.lacking(),
            Self::Jitter(_) | Self::File(_) | Self::Relay(_) => None,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Proxy(proxy) => &proxy.name,
            Self::Jitter(_) | Self::File(_) | Self::Relay(_) => "relay",
        }
    }

    /// What starts it at this address, with a folder of its own.
    fn prepare(&self, at: &Place<'_>) -> Result<Prepared> {
        match self {
            Self::Proxy(proxy) => proxy.server.prepare(&at.folder, at.address, Some(at.upstream)),
            Self::Jitter(jitter) => {
                let file = at.folder.join("jitter.json");
                std::fs::create_dir_all(&at.folder)
                    .with_context(|| format!("cannot make the folder {}", at.folder.display()))?;
                dataset::write_json(&file, jitter)?;
                let mut command: Vec<OsString> = vec![std::env::current_exe()?.into(), "relay".into()];
                for (flag, value) in [
                    ("--listen", at.address.to_string()),
                    ("--upstream", at.upstream.to_string()),
                    ("--seed", at.seed.to_string()),
                ] {
                    command.extend([flag.into(), value.into()]);
                }
                command.extend(["--jitter".into(), file.into()]);
                Ok(Prepared {
                    command,
                    environment: Vec::new(),
                })
            }
            Self::File(_) | Self::Relay(_) => bail!("the plan names a file and not what it says"),
        }
    }

    fn start(&self, at: Place<'_>, ready: Ready, server: &Server) -> Result<Server> {
        let Prepared { command, environment } = self.prepare(&at)?;
        Server::start(Start {
            cpu: Some(at.spec.cpus.arms),
            group: None,
            command,
            environment,
            ready,
            pod: server.pod.clone(),
            sidecar: true,
            directory: Some(at.folder),
        })
    }
}

/// Where a hop is to be.
struct Place<'a> {
    spec: &'a LaunchSpec,
    folder: PathBuf,
    address: SocketAddr,
    upstream: SocketAddr,
    seed: u64,
}

/// Starts the hops of the arm with this number beside its server, the last first, and waits until a request passes them all.
/// They are given in the order from the prober to the server. `seed` is the launch's.
pub(crate) fn start_all(
    spec: &LaunchSpec,
    experiment: &Experiment,
    (arm, seed): (usize, u64),
    server: &mut Server,
) -> Result<Vec<Server>> {
    let ip = match server.address.ip() {
        ip if ip.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    let mut upstream = server.address;
    let mut started = Vec::new();
    for (number, hop) in experiment.hops.iter().enumerate().rev() {
        // Beyond the ports of all servers.
        let beyond = u16::try_from((number + 1) * experiment.arms.len())?;
        let port = server.address.port().checked_add(beyond).context("no port is free")?;
        let address = SocketAddr::new(ip, port);
        let ready = if number == 0 {
            Ready::Answers {
                message: Box::new(experiment.request.clone()),
                addresses: vec![ip],
                port,
                patience: START,
            }
        } else {
            // What it understands may not be what the prober says.
            Ready::Listens(address)
        };
        let place = Place {
            spec,
            folder: spec.folder.join(format!("arm-{arm}-hop-{number}")),
            address,
            upstream,
            seed: seed ^ ((arm as u64) << 16) ^ ((number as u64) << 8),
        };
        let hop = hop
            .start(place, ready, server)
            .with_context(|| format!("hop {}", hop.name()))?;
        server.has_beside(&hop);
        started.push(hop);
        upstream = address;
    }
    started.reverse();
    Ok(started)
}
