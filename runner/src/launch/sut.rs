//! The servers that an experiment can name: what starts one, how it is known to be ready, and how often it receives.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use isolation::{LaunchNetwork, ServerNamespace};
use model::{Experiment, IsolationLevel, ServerUnderTest, Topology};

use crate::launch::local::server::{Ready, Start};
use crate::launch::spec::LaunchSpec;
use crate::program;

/// What starts the server of the arm with this number, but for its treatment.
pub(crate) fn start(
    spec: &LaunchSpec,
    experiment: &Experiment,
    network: &LaunchNetwork,
    (arm, port): (usize, u16),
) -> Result<Start> {
    let address = SocketAddr::from((network.server_address(), port));
    let ServerUnderTest::Command(program) = &experiment.sut else {
        return Ok(Start {
            cpu: Some(spec.cpus.arms),
            group: None,
            command: synthetic(
                &spec.binaries.join("sut"),
                (&experiment.sut, spare(experiment)),
                address,
            )?,
            environment: Vec::new(),
            ready: Ready::Says,
            pod: None,
            sidecar: false,
            directory: None,
        });
    };
    // Where client and servers share a namespace, each server may have one of its own, with its own part of the client.
    let pod = (spec.topology == Topology::LocalPod && spec.level != IsolationLevel::Loopback)
        .then(ServerNamespace::create)
        .transpose()?;
    ensure!(
        pod.is_some() || program.takes_port(),
        "without a network namespace for each server, several cannot listen on one port; \
         write {{port}} into the command, or see `cargo xtask doctor` for what namespaces need"
    );
    let port = program.port.filter(|_| pod.is_some()).unwrap_or(port);
    let folder = spec.folder.join(format!("arm-{arm}"));
    let address = SocketAddr::new(address.ip(), port);
    let instance = program.instance(&folder, address, None);
    program::lay_out(&instance, &folder)?;
    Ok(Start {
        cpu: Some(spec.cpus.arms),
        group: None,
        command: program::words(&instance),
        environment: program::variables(&instance),
        ready: Ready::Answers {
            message: Box::new(experiment.request.clone()),
            addresses: if address.ip().is_loopback() {
                Ready::loopback()
            } else {
                vec![address.ip()]
            },
            port,
            patience: Duration::from_secs_f64(program.ready_s),
        },
        pod: pod.map(Rc::new),
        sidecar: false,
        directory: Some(program.directory.clone().unwrap_or(folder)),
    })
}

/// The command that starts the synthetic server, `program`, at `address`, with `spare` threads more than the experiment says.
pub(crate) fn synthetic(
    program: &Path,
    (sut, spare): (&ServerUnderTest, u32),
    address: SocketAddr,
) -> Result<Vec<OsString>> {
    let ServerUnderTest::Synthetic(server) = sut else {
        bail!("the plan names a file or an application, and no server that can be started here")
    };
    let mut words: Vec<OsString> = vec![program.into()];
    for (flag, value) in [
        ("--listen", address.to_string()),
        ("--accept", server.accept.name().to_owned()),
        ("--receive", server.receive.name().to_owned()),
        ("--reads-per-request", server.reads_per_request.to_string()),
        ("--response-bytes", server.response_bytes.to_string()),
        ("--work-ns", server.work_ns.to_string()),
        ("--threads", (server.threads + spare).to_string()),
    ] {
        words.extend([flag.into(), value.into()]);
    }
    Ok(words)
}

/// Threads beside those that the experiment asks for: a proxy keeps the connection over which the server was found ready,
/// and may open another for the prober, for which a server with one thread would have nobody.
pub(crate) fn spare(experiment: &Experiment) -> u32 {
    u32::from(!experiment.proxies.is_empty())
}

/// What tells the synthetic server to leave stamps in a file.
pub(crate) fn stamping(file: &Path) -> [OsString; 2] {
    ["--stamps".into(), file.into()]
}

/// What tells it to receive a file's content over and over, instead of serving.
pub(crate) fn looping(payload: &Path, block_calls: u32) -> [OsString; 4] {
    [
        "--tight-loop".into(),
        payload.into(),
        "--block-calls".into(),
        block_calls.to_string().into(),
    ]
}

/// How many receives of payload the hook must have seen after so many requests.
pub(crate) fn receives(sut: &ServerUnderTest, requests: u64) -> RangeInclusive<u64> {
    match sut {
        ServerUnderTest::Synthetic(server) => {
            let expected = requests * u64::from(server.reads_per_request);
            expected..=expected
        }
        // The program decides how it reads; a request cannot arrive without a read.
        ServerUnderTest::Command(_) | ServerUnderTest::File { .. } | ServerUnderTest::Application(_) => {
            requests..=u64::MAX
        }
    }
}
