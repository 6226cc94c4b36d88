//! What stands between the prober and each server: a process per arm and hop, beside the server as a sidecar is. No hook is
//! loaded into it.

pub(crate) mod jitter;
mod proxy;
pub(crate) mod relay;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use engines::{Image, ImageContents};
use serde::{Deserialize, Serialize};

use self::jitter::Jitter;
use self::proxy::Proxy;
use crate::definition::Experiment;
use crate::launch::local::server::{Ready, Server, Start};
use crate::launch::spec::LaunchSpec;
use crate::program::Filled;

/// The file with a relay's delays, in its folder.
const JITTER: &str = "jitter.json";
const UNRESOLVED: &str = "the plan names a file and not what it says";
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

    /// Adds to an image what it must hold for this hop.
    pub(crate) fn add_to(&self, contents: &mut ImageContents, binaries: &Path) -> Result<()> {
        match self {
            Self::Proxy(proxy) => proxy.add_to(contents),
            Self::Jitter(_) => Ok(contents.add_own(binaries, Image::RUNNER)?),
            Self::File(_) | Self::Relay(_) => bail!(UNRESOLVED),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Proxy(proxy) => &proxy.name,
            Self::Jitter(_) | Self::File(_) | Self::Relay(_) => "relay",
        }
    }

    /// What starts it there; a relay is started by `bench`, wherever that is.
    pub(crate) fn filled(&self, at: &Place<'_>, bench: &Path) -> Result<Filled> {
        match self {
            Self::Proxy(proxy) => Ok(proxy.server.filled(at.folder, at.address, Some(at.upstream))),
            Self::Jitter(jitter) => {
                let mut command = vec![bench.to_string_lossy().into_owned(), "relay".to_owned()];
                for (flag, value) in [
                    ("--listen", at.address.to_string()),
                    ("--upstream", at.upstream.to_string()),
                    ("--seed", at.seed.to_string()),
                    ("--jitter", at.folder.join(JITTER).to_string_lossy().into_owned()),
                ] {
                    command.extend([flag.to_owned(), value]);
                }
                let files = [(JITTER.to_owned(), serde_json::to_string(jitter)?)];
                Ok(Filled {
                    command,
                    environment: BTreeMap::new(),
                    files: files.into(),
                })
            }
            Self::File(_) | Self::Relay(_) => bail!(UNRESOLVED),
        }
    }

    fn start(&self, spec: &LaunchSpec, at: &Place<'_>, ready: Ready, server: &Server) -> Result<Server> {
        let filled = self.filled(at, &std::env::current_exe()?)?;
        filled.lay_out(at.folder)?;
        Server::start(Start {
            cpu: Some(spec.cpus.arms),
            group: None,
            command: filled.words(),
            environment: filled.variables(),
            ready,
            pod: server.pod.clone(),
            sidecar: true,
            directory: Some(at.folder.to_owned()),
        })
    }
}

/// Where a hop is to be.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) address: SocketAddr,
    pub(crate) upstream: SocketAddr,
    pub(crate) seed: u64,
}

/// The port of a hop beside a server with this port: beyond those of all servers.
pub(crate) fn port(experiment: &Experiment, server: u16, number: usize) -> Result<u16> {
    let beyond = u16::try_from((number + 1) * experiment.arms.len())?;
    server.checked_add(beyond).context("no port is free")
}

/// The seed of a hop beside the arm with this number, from that of the launch.
pub(crate) const fn seed(launch: u64, arm: usize, number: usize) -> u64 {
    launch ^ ((arm as u64) << 16) ^ ((number as u64) << 8)
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
        let port = port(experiment, server.address.port(), number)?;
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
            folder: &spec.folder.join(format!("arm-{arm}-hop-{number}")),
            address,
            upstream,
            seed: self::seed(seed, arm, number),
        };
        let hop = hop
            .start(spec, &place, ready, server)
            .with_context(|| format!("hop {}", hop.name()))?;
        server.has_beside(&hop);
        started.push(hop);
        upstream = address;
    }
    started.reverse();
    Ok(started)
}
