//! The servers that an experiment can name: what starts one, how it is known to be ready, and how often it receives.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clusters::{Image, Level, Network, Place, Pod};

use crate::definition::{Experiment, Sut};
use crate::program::Prepared;
use crate::server::{Ready, Start};
use crate::spec::LaunchSpec;

/// A single source file, which the JDK compiles when it starts.
const JAVA: (&str, &str) = ("HttpServerApp.java", include_str!("../../sut/java/HttpServerApp.java"));

/// Compiled once for each launch.
const TOMCAT: (&str, &str) = ("TomcatApp.java", include_str!("../../sut/java/TomcatApp.java"));
/// What Debian's libtomcat10-embed-java and libjakarta-annotation-api-java install.
const TOMCAT_JARS: [&str; 2] = [
    "/usr/share/java/tomcat10-embed-core.jar",
    "/usr/share/java/jakarta-annotation-api.jar",
];

/// What starts the server of the arm with this number, but for its treatment.
pub(crate) fn start(
    spec: &LaunchSpec,
    experiment: &Experiment,
    network: &Network,
    (arm, port): (usize, u16),
) -> Result<Start> {
    let address = SocketAddr::from((network.server_address(), port));
    // A proxy keeps the connection over which the server was found ready, and may open another for the prober, for which
    // a server with one thread would have nobody.
    let spare = u32::from(!experiment.hops.is_empty());
    let Sut::Command(program) = &experiment.sut else {
        return Ok(Start {
            cpu: Some(spec.cpus.arms),
            group: None,
            command: command(&spec.binaries, &spec.folder, (&experiment.sut, spare), address)?,
            environment: Vec::new(),
            ready: Ready::Says,
            pod: None,
            sidecar: false,
            directory: None,
        });
    };
    // Where client and servers share a namespace, each server may have one of its own, with its own part of the client.
    let pod = (spec.place == Place::LocalPod && spec.level != Level::Loopback)
        .then(Pod::new)
        .transpose()?;
    ensure!(
        pod.is_some() || program.takes_port(),
        "without a network namespace for each server, several cannot listen on one port; \
         write {{port}} into the command, or see `cargo xtask doctor` for what namespaces need"
    );
    let port = program.port.filter(|_| pod.is_some()).unwrap_or(port);
    let folder = spec.folder.join(format!("arm-{arm}"));
    let address = SocketAddr::new(address.ip(), port);
    let Prepared { command, environment } = program.prepare(&folder, address, None)?;
    Ok(Start {
        cpu: Some(spec.cpus.arms),
        group: None,
        command,
        environment,
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

/// The command that starts a server of our own which listens on `address`.
/// Its files are in `binaries`, or written to `folder`. It has `spare` threads more than the experiment says.
fn command(binaries: &Path, folder: &Path, (sut, spare): (&Sut, u32), address: SocketAddr) -> Result<Vec<OsString>> {
    match sut {
        Sut::Synthetic {
            accept,
            receive,
            reads_per_request,
            response_bytes,
            work_ns,
            threads,
            stamps: _,
        } => {
            let mut words: Vec<OsString> = vec![binaries.join("sut").into()];
            for (flag, value) in [
                ("--listen", address.to_string()),
                ("--accept", accept.name().to_owned()),
                ("--receive", receive.name().to_owned()),
                ("--reads-per-request", reads_per_request.to_string()),
                ("--response-bytes", response_bytes.to_string()),
                ("--work-ns", work_ns.to_string()),
                ("--threads", (threads + spare).to_string()),
            ] {
                words.extend([flag.into(), value.into()]);
            }
            Ok(words)
        }
        Sut::Java {} => {
            let (name, text) = JAVA;
            let source = folder.join(name);
            fs::write(&source, text).with_context(|| format!("cannot write {}", source.display()))?;
            Ok(vec!["java".into(), source.into(), address.to_string().into()])
        }
        Sut::Tomcat {} => tomcat(folder, address),
        Sut::Command(_) | Sut::File { .. } | Sut::Application(_) => bail!("the plan names no server of our own"),
    }
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

fn tomcat(folder: &Path, address: SocketAddr) -> Result<Vec<OsString>> {
    let jars = std::env::var_os("TOMCAT_CLASSPATH").unwrap_or_else(|| TOMCAT_JARS.join(":").into());
    if !folder.join("TomcatApp.class").exists() {
        let (name, text) = TOMCAT;
        let source = folder.join(name);
        fs::write(&source, text).with_context(|| format!("cannot write {}", source.display()))?;
        let mut javac = Command::new("javac");
        javac.arg("-cp").arg(&jars).arg("-d").arg(folder).arg(source);
        let compiled = javac
            .output()
            .context("cannot start javac; apt-get install default-jdk-headless")?;
        ensure!(
            compiled.status.success(),
            "javac: {}\nTomcat's jars are looked for at {}; apt-get install libtomcat10-embed-java \
             libjakarta-annotation-api-java, or name them by TOMCAT_CLASSPATH",
            String::from_utf8_lossy(&compiled.stderr).trim(),
            jars.display()
        );
    }
    let mut classes = folder.as_os_str().to_owned();
    classes.push(":");
    classes.push(jars);
    Ok(vec![
        "java".into(),
        "-cp".into(),
        classes,
        "TomcatApp".into(),
        address.to_string().into(),
    ])
}

/// The same in a container, whose image holds the synthetic server alone.
pub(crate) fn command_in_image(sut: &Sut, address: SocketAddr) -> Result<Vec<String>> {
    ensure!(
        matches!(sut, Sut::Synthetic { .. }),
        "images hold the synthetic server only; use another [sut], or a condition local-*"
    );
    let program = Path::new(Image::SUT);
    let words = command(
        program.parent().unwrap_or(program),
        Path::new(Image::WORK),
        (sut, 0),
        address,
    )?;
    Ok(words
        .into_iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect())
}

/// How many receives of payload the hook must have seen after so many requests.
pub(crate) fn receives(sut: &Sut, requests: u64) -> RangeInclusive<u64> {
    match sut {
        Sut::Synthetic { reads_per_request, .. } => {
            let expected = requests * u64::from(*reads_per_request);
            expected..=expected
        }
        // The program decides how it reads; a request cannot arrive without a read.
        Sut::Java {} | Sut::Tomcat {} | Sut::Command(_) | Sut::File { .. } | Sut::Application(_) => requests..=u64::MAX,
    }
}
