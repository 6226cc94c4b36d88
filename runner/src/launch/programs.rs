//! The commands with which the processes of a launch start.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use super::backend::{OwnPrograms, ProxySite, ServerSite};
use super::process::{ProcessStart, Readiness};
use crate::proxies;
use crate::proxies::RelaySeeds;
use model::{AcceptFunction, Experiment, Neighbour, Proxy, ReceiveFunction, ServerUnderTest, SyntheticServer};

/// Returns the start of an arm's server, without its treatment.
pub(crate) fn server(experiment: &Experiment, own: &OwnPrograms, site: &ServerSite) -> Result<ProcessStart> {
    match &experiment.sut {
        ServerUnderTest::Command(program) => {
            let instance = program.instance(&site.folder, site.address, None);
            Ok(ProcessStart {
                directory: program.directory.clone(),
                patience: Duration::from_secs_f64(program.ready_s),
                ..ProcessStart::of_program(instance, Readiness::Serves(site.address))
            })
        }
        ServerUnderTest::Synthetic(server) => {
            let mut command = synthetic(server, !experiment.proxies.is_empty(), &own.sut, site.address);
            if let Some(stamps) = &site.stamps {
                command.extend(["--stamps".into(), stamps.into()]);
            }
            Ok(ProcessStart::new(command, Readiness::Announces(site.address)))
        }
        // Its manifests say what starts it.
        ServerUnderTest::Application(_) => Ok(ProcessStart::new(Vec::new(), Readiness::Runs)),
        ServerUnderTest::File { file } => bail!("{}: the server file was not read before the launch", file.display()),
    }
}

fn synthetic(server: &SyntheticServer, has_proxies: bool, program: &Path, address: SocketAddr) -> Vec<OsString> {
    // A proxy keeps the connection over which the server was found ready, and can open another one for the load generator,
    // which a server with one thread would not serve.
    let threads = server.threads + u32::from(has_proxies);
    let mut words: Vec<OsString> = vec![program.into()];
    for (flag, value) in [
        ("--listen", address.to_string()),
        ("--accept", server.accept.name().to_owned()),
        ("--receive", server.receive.name().to_owned()),
        ("--reads-per-request", server.reads_per_request.to_string()),
        ("--response-bytes", server.response_bytes.to_string()),
        ("--work-ns", server.work_ns.to_string()),
        ("--threads", threads.to_string()),
    ] {
        words.extend([flag.into(), value.into()]);
    }
    words
}

/// Returns the start of a proxy. `number` is 0 for the proxy that the load generator connects to. `wiring` is the address to
/// which the proxy forwards, and the seeds of its delays.
pub(crate) fn proxy(
    proxy: &Proxy,
    number: usize,
    own: &OwnPrograms,
    site: &ProxySite,
    wiring: (SocketAddr, RelaySeeds),
) -> Result<ProcessStart> {
    let instance = proxies::instance(proxy, site, wiring, &own.runner)?;
    let readiness = if number == 0 {
        Readiness::Serves(site.address)
    } else {
        // The protocol between two proxies can differ from the load generator's.
        Readiness::Listens(site.address)
    };
    Ok(ProcessStart::of_program(instance, readiness))
}

/// Returns the start of the neighbour.
pub(crate) fn neighbour(neighbour: &Neighbour) -> ProcessStart {
    let command = neighbour.command.iter().map(Into::into);
    ProcessStart::new(command.collect(), Readiness::Runs)
}

/// Returns the command of the synthetic server that receives a file's content in a loop, in blocks of calls.
pub(crate) fn tight_loop(
    experiment: &Experiment,
    own: &OwnPrograms,
    receive: Option<ReceiveFunction>,
    payload: &Path,
    block_calls: u32,
) -> Vec<OsString> {
    let (accept, receive) = match &experiment.sut {
        ServerUnderTest::Synthetic(server) => (server.accept, receive.unwrap_or(server.receive)),
        _ => (AcceptFunction::Accept4, receive.unwrap_or(ReceiveFunction::Read)),
    };
    let mut words: Vec<OsString> = vec![(&own.sut).into()];
    words.extend(["--accept", accept.name(), "--receive", receive.name()].map(OsString::from));
    words.extend(["--tight-loop".into(), payload.into()]);
    words.extend(["--block-calls".into(), block_calls.to_string().into()]);
    words
}

/// Returns the number of payload receives that the hook must have counted after so many requests.
pub(crate) fn expected_receives(sut: &ServerUnderTest, requests: u64) -> RangeInclusive<u64> {
    match sut {
        ServerUnderTest::Synthetic(server) => {
            let expected = requests * u64::from(server.reads_per_request);
            expected..=expected
        }
        // The program decides how often it reads; each request takes at least one read.
        ServerUnderTest::Command(_) | ServerUnderTest::File { .. } | ServerUnderTest::Application(_) => {
            requests..=u64::MAX
        }
    }
}
