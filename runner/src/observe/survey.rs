//! `runner observe --servers FILE… --out FOLDER`: observes ready servers, the synthetic server with each of its functions, and
//! programs that no preloaded library sees, and writes one `observed.json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use dataset::{OBSERVED_FILE, OBSERVED_VERSION, ObservedServer, ObservedServers, ServerKind, UnobservedServer};

use super::instruments::{Instruments, TOPOLOGY};
use super::probe_result::ProbeResult;
use super::report::agreement;
use crate::preflight::subject::ForeignServer;
use crate::program::{is_missing, of_command_line, packages, read_server_file};
use crate::signals::stop_flag;
use model::{AcceptFunction, ReceiveFunction};

/// The name of the experiment to which the claims refer.
const EXPERIMENT: &str = "r07";

/// A server to observe; an error if it cannot be started.
type Startable = Result<ServerCandidate, UnobservedServer>;

/// A server to observe.
struct ServerCandidate {
    subject: ForeignServer,
    kind: ServerKind,
    version: Option<String>,
    /// Folder of the program if it was compiled here; `None` for an installed program.
    place: Option<PathBuf>,
    /// Advice for the case that the server does not start.
    fix: String,
}

/// A program that no preloaded library sees: a negative control.
struct NegativeControl {
    name: &'static str,
    /// Name and content of the source file.
    source: (&'static str, &'static str),
    /// The compiler with its options. The paths of the program and of the source follow.
    compiler: &'static [&'static str],
    fix: &'static str,
}

const CONTROLS: [NegativeControl; 2] = [
    // A program without a dynamic loader.
    NegativeControl {
        name: "static, in C",
        source: ("server.c", include_str!("../../../sut/controls/server.c")),
        compiler: &["cc", "-static", "-O1", "-o"],
        fix: "Debian has a C compiler in the package build-essential, nixpkgs as gcc (with glibc.static)",
    },
    // A program whose runtime makes system calls itself.
    NegativeControl {
        name: "net/http, in Go",
        source: ("server.go", include_str!("../../../sut/controls/server.go")),
        compiler: &["go", "build", "-o"],
        fix: "Debian has it in the package golang-go, nixpkgs as go",
    },
];

/// Observes all servers, prints a line for each on standard error, and writes the file.
///
/// # Errors
/// If a file cannot be read or written, or an instrument fails.
pub(crate) fn run(servers: &[PathBuf], own_hook: &Path, out: &Path) -> Result<()> {
    let stopped = stop_flag()?;
    let instruments = Instruments::find(own_hook, &stopped)?;
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let folder = tempfile::tempdir().context("a folder for the controls")?;
    let mut candidates = servers.iter().map(|path| ready(path)).collect::<Result<Vec<_>>>()?;
    candidates.extend(synthetic(&instruments)?.into_iter().map(Ok));
    for control in CONTROLS {
        candidates.push(compile(&control, folder.path())?);
    }
    let (mut observed, mut not_found) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let found = match candidate {
            Ok(candidate) => observe(&instruments, candidate)?,
            Err(missing) => Err(missing),
        };
        match found {
            Ok(row) => {
                eprintln!("{}: our hook sees {:.0} %", row.server, 100.0 * row.own_share);
                observed.push(row);
            }
            Err(missing) => not_found.push(missing),
        }
    }
    for missing in &not_found {
        eprintln!("{}: not observed: {}; {}", missing.server, missing.reason, missing.fix);
    }
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let path = out.join(OBSERVED_FILE);
    dataset::write_json(
        &path,
        &ObservedServers {
            schema_version: OBSERVED_VERSION,
            run_id: out.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            experiment: EXPERIMENT.to_owned(),
            condition: TOPOLOGY.name().to_owned(),
            git_revision: crate::run::revision::git().map(|revision| revision.to_string()),
            finished_unix_ns: i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX),
            servers: observed,
            not_found,
        },
    )?;
    println!("wrote {}", path.display());
    Ok(())
}

/// Returns the server that a file defines.
fn ready(path: &Path) -> Result<Startable> {
    let file = read_server_file(path)?;
    let fix = packages(&file.debian, &file.nixpkgs);
    if is_missing(&file.server.command[0]) {
        return Ok(Err(UnobservedServer {
            server: file.name,
            reason: format!("{} is not installed", file.server.command[0]),
            fix,
        }));
    }
    Ok(Ok(ServerCandidate {
        version: version(&file.version),
        kind: ServerKind::Common,
        subject: ForeignServer::of_file(file),
        place: None,
        fix,
    }))
}

/// Returns the first line that a command prints.
fn version(command: &[String]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let output = Command::new(program).args(arguments).output().ok()?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    let first = printed.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(first.to_owned())
}

/// Returns the synthetic server with each combination of accept and receive function.
fn synthetic(instruments: &Instruments<'_>) -> Result<Vec<ServerCandidate>> {
    let program = instruments.setting.binaries.join("sut");
    let mut styles = Vec::new();
    for accept in [AcceptFunction::Accept, AcceptFunction::Accept4] {
        for receive in [ReceiveFunction::Read, ReceiveFunction::Recv] {
            let words = [
                "--listen",
                "127.0.0.1:{port}",
                "--accept",
                accept.name(),
                "--receive",
                receive.name(),
            ];
            let name = format!("synthetic, {} and {}", accept.name(), receive.name());
            styles.push(candidate(name, ServerKind::Synthetic, &program, &words)?);
        }
    }
    Ok(styles)
}

fn candidate(name: String, kind: ServerKind, program: &Path, words: &[&str]) -> Result<ServerCandidate> {
    let mut command = vec![program.to_string_lossy().into_owned()];
    command.extend(words.iter().map(|word| (*word).to_owned()));
    Ok(ServerCandidate {
        subject: ForeignServer::of_command(name, of_command_line(command, None, None)?)?,
        version: (kind == ServerKind::Synthetic).then(|| env!("CARGO_PKG_VERSION").to_owned()),
        kind,
        place: program.parent().map(Path::to_owned),
        fix: "see its output".to_owned(),
    })
}

/// Compiles a negative control.
fn compile(control: &NegativeControl, folder: &Path) -> Result<Startable> {
    let missing = |reason: String| UnobservedServer {
        server: control.name.to_owned(),
        reason,
        fix: control.fix.to_owned(),
    };
    let (file, text) = control.source;
    let source = folder.join(file);
    fs::write(&source, text)?;
    let [compiler, options @ ..] = control.compiler else {
        return Ok(Err(missing("it has no compiler".to_owned())));
    };
    if is_missing(compiler) {
        return Ok(Err(missing(format!("{compiler} is not installed"))));
    }
    let program = folder.join(format!("{compiler}-server"));
    let mut command = Command::new(compiler);
    command.args(options).arg(&program).arg(source);
    let output = command.output().with_context(|| format!("cannot start {compiler}"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Ok(Err(missing(format!("{compiler}: {}", reason.trim()))));
    }
    let kind = ServerKind::NegativeControl;
    candidate(control.name.to_owned(), kind, &program, &["{port}"]).map(Ok)
}

/// Observes a server with both instruments. Returns an [`UnobservedServer`] if the server failed with both.
fn observe(
    instruments: &Instruments<'_>,
    candidate: ServerCandidate,
) -> Result<Result<ObservedServer, UnobservedServer>> {
    let name = candidate.subject.name.clone();
    let (libc, traced) = instruments.observe(&candidate.subject).with_context(|| name.clone())?;
    let (traced, not_traced) = match traced {
        Ok(result) => (Some(result), None),
        Err(reason) => (None, Some(format!("no system calls: {reason}"))),
    };
    let failed = |result: &ProbeResult| {
        let fault = result.fault.as_ref()?;
        Some(format!("it {}: {}", fault.kind, fault.what))
    };
    if let Some(reason) = failed(&libc).filter(|_| traced.as_ref().is_none_or(|traced| traced.fault.is_some())) {
        return Ok(Err(UnobservedServer {
            server: name,
            reason,
            fix: candidate.fix,
        }));
    }
    let spots = libc.blind_spots.iter().map(ToString::to_string);
    let reasons = spots.chain(not_traced).chain(failed(&libc));
    // The reasons name no path of this machine.
    let hook = instruments.setting.hook.to_string_lossy();
    let place = candidate.place.map(|folder| format!("{}/", folder.display()));
    let reasons = reasons.map(|reason| {
        let reason = reason.replace(&*hook, "the hook");
        place.as_ref().map_or(reason.clone(), |place| reason.replace(place, ""))
    });
    let reasons: BTreeSet<String> = reasons.collect();
    let agreement = agreement(&libc, traced.as_ref());
    let sent_bytes = libc
        .sent_bytes
        .max(traced.as_ref().map_or(0, |result| result.sent_bytes));
    let receive_calls = libc.receive_calls.filter(|_| libc.fault.is_none());
    let seen = libc.fault.is_none().then_some(libc.passed);
    Ok(Ok(ObservedServer {
        server: name,
        kind: candidate.kind,
        version: candidate.version,
        requests: libc.requests,
        sent_bytes,
        accept_and_read_share: seen
            .as_ref()
            .map_or(0.0, |libc| ObservedServer::by_accept_and_read(libc, sent_bytes)),
        own_share: seen.as_ref().map_or(0.0, |libc| libc.share_of(sent_bytes)),
        libc: seen,
        receive_calls,
        system_calls: traced
            .filter(|result| result.fault.is_none())
            .map(|result| result.passed),
        agreement,
        reasons: reasons.into_iter().collect(),
    }))
}
