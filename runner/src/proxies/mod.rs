//! Proxies between the load generator and each server: one process for each arm and proxy, beside the server like a sidecar.
//! Proxies load no hook.

mod delay_source;
pub(crate) mod jitter;
mod program_file;
pub(crate) mod relay;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use engines::{Image, ImageContents};
use model::{Experiment, ProgramInstance, Proxy};

use crate::launch::backend::ProxySite;

/// The file with a relay's delays, in its folder.
const JITTER: &str = "jitter.json";
const UNRESOLVED: &str = "the file of a proxy was not read before the launch; please report this mistake";

/// Puts the content of a file in the place of its path.
pub(crate) fn resolve(proxy: &mut Proxy) -> Result<()> {
    match proxy {
        Proxy::File(path) => *proxy = Proxy::Program(Box::new(program_file::read(path)?)),
        Proxy::Relay(delays) => *proxy = Proxy::Delays(jitter::read(delays.file())?.scaled(delays.factor())),
        Proxy::Program(_) | Proxy::Delays(_) => {}
    }
    Ok(())
}

/// Returns the files that a proxy of a definition names.
///
/// # Errors
/// If a file cannot be read or describes no proxy.
pub(crate) fn named_files(proxy: Proxy) -> Result<Vec<PathBuf>> {
    Ok(match proxy {
        Proxy::File(path) => {
            let mut named = program_file::copied_files(&path)?;
            named.push(path);
            named
        }
        Proxy::Relay(delays) => vec![delays.file().to_owned()],
        Proxy::Program(_) | Proxy::Delays(_) => Vec::new(),
    })
}

/// Returns the reason why a proxy cannot be started on this machine; `None` where it can.
pub(crate) fn lacking(proxy: &Proxy) -> Option<String> {
    match proxy {
        Proxy::Program(program) => program_file::lacking(program),
        Proxy::Delays(_) | Proxy::File(_) | Proxy::Relay(_) => None,
    }
}

/// Adds to an image the programs and files of a proxy.
pub(crate) fn add_to_image(proxy: &Proxy, contents: &mut ImageContents, binaries: &Path) -> Result<()> {
    match proxy {
        Proxy::Program(program) => program_file::add_to_image(program, contents),
        Proxy::Delays(_) => Ok(contents.add_own(binaries, Image::RUNNER)?),
        Proxy::File(_) | Proxy::Relay(_) => bail!(UNRESOLVED),
    }
}

/// The seeds of a relay's delays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelaySeeds {
    /// The seed of the delays of this relay alone.
    pub(crate) own: u64,
    /// The seed of the slow components, which the relays of all arms share.
    pub(crate) common: u64,
}

/// Returns the command, environment and files of a proxy that forwards to `upstream`. A relay is started by the program `runner`
/// and draws its delays from `seeds`.
pub(crate) fn instance(
    proxy: &Proxy,
    at: &ProxySite,
    (upstream, seeds): (SocketAddr, RelaySeeds),
    runner: &Path,
) -> Result<ProgramInstance> {
    match proxy {
        Proxy::Program(program) => Ok(program.server.instance(&at.folder, at.address, Some(upstream))),
        Proxy::Delays(delays) => {
            let mut command = vec![runner.to_string_lossy().into_owned(), "relay".to_owned()];
            for (flag, value) in [
                ("--listen", at.address.to_string()),
                ("--upstream", upstream.to_string()),
                ("--seed", seeds.own.to_string()),
                ("--common-seed", seeds.common.to_string()),
                ("--jitter", at.folder.join(JITTER).to_string_lossy().into_owned()),
            ] {
                command.extend([flag.to_owned(), value]);
            }
            let files = [(JITTER.to_owned(), serde_json::to_string(delays)?)];
            Ok(ProgramInstance {
                command,
                environment: BTreeMap::new(),
                files: files.into(),
            })
        }
        Proxy::File(_) | Proxy::Relay(_) => bail!(UNRESOLVED),
    }
}

/// Returns the port of a proxy beside a server with port `server`. It lies beyond the ports of all servers.
pub(crate) fn port(experiment: &Experiment, server: u16, number: usize) -> Result<u16> {
    let beyond = u16::try_from((number + 1) * experiment.arms.len())?;
    server.checked_add(beyond).context("no port is free")
}

/// Returns the seeds of a proxy beside the arm with this number, from the seed of the launch.
pub(crate) const fn seeds(launch: u64, arm: usize, number: usize) -> RelaySeeds {
    let common = launch ^ ((number as u64) << 8);
    RelaySeeds {
        own: common ^ ((arm as u64 + 1) << 16),
        common,
    }
}
