//! `runner observe --servers FILE… --out FOLDER`: by what all ready servers receive, and the synthetic one in its call styles,
//! and programs of which no preloaded library sees anything, into one `observed.json`.

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

/// The experiment's name, by which claims find it.
const EXPERIMENT: &str = "r07";
/// The negative controls' sources.
const STATIC: &str = include_str!("../../../sut/controls/server.c");
const GO: &str = include_str!("../../../sut/controls/server.go");

/// A server that can be asked.
struct ServerCandidate {
    subject: ForeignServer,
    kind: ServerKind,
    version: Option<String>,
    /// The folder that was made for its program; none where that was there.
    place: Option<PathBuf>,
    /// What would help where it does not start.
    fix: String,
}

/// Asks all of them, says on standard error which, and writes the file.
pub(super) fn run(servers: &[PathBuf], own_hook: &Path, out: &Path) -> Result<()> {
    let stopped = stop_flag()?;
    let instruments = Instruments::find(own_hook, &stopped)?;
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let folder = tempfile::tempdir().context("a folder for the controls")?;
    let mut candidates = Vec::new();
    for path in servers {
        candidates.push(ready(path)?);
    }
    candidates.extend(synthetic(&instruments)?.into_iter().map(Ok));
    candidates.push(static_program(folder.path())?);
    candidates.push(go_program(folder.path())?);
    let (mut observed, mut not_found) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let found = match candidate {
            Ok(candidate) => asked(&instruments, candidate)?,
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

/// A server of a file.
fn ready(path: &Path) -> Result<Result<ServerCandidate, UnobservedServer>> {
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

/// The first line of what a command prints.
fn version(command: &[String]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let output = Command::new(program).args(arguments).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    said.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned)
}

/// The project's own server in each call style.
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
        fix: "see what it said".to_owned(),
    })
}

/// A program without a dynamic loader.
fn static_program(folder: &Path) -> Result<Result<ServerCandidate, UnobservedServer>> {
    let source = folder.join("server.c");
    fs::write(&source, STATIC)?;
    let mut compiler = Command::new("cc");
    compiler.args(["-static", "-O1", "-o"]);
    let fix = "Debian has a C compiler in the package build-essential, nixpkgs as gcc (with glibc.static)";
    control("static, in C", compiler, &source, &folder.join("static"), fix)
}

/// A program of which the runtime makes system calls itself.
fn go_program(folder: &Path) -> Result<Result<ServerCandidate, UnobservedServer>> {
    let source = folder.join("server.go");
    fs::write(&source, GO)?;
    let mut compiler = Command::new("go");
    compiler.args(["build", "-o"]);
    let fix = "Debian has it in the package golang-go, nixpkgs as go";
    control("net/http, in Go", compiler, &source, &folder.join("go"), fix)
}

/// Compiles a negative control.
fn control(
    name: &str,
    mut compiler: Command,
    source: &Path,
    to: &Path,
    fix: &str,
) -> Result<Result<ServerCandidate, UnobservedServer>> {
    let program = compiler.get_program().to_string_lossy().into_owned();
    let missing = |reason: String| UnobservedServer {
        server: name.to_owned(),
        reason,
        fix: fix.to_owned(),
    };
    if is_missing(&program) {
        return Ok(Err(missing(format!("{program} is not installed"))));
    }
    let output = compiler.arg(to).arg(source).output().with_context(|| program.clone())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Ok(Err(missing(format!("{program}: {said}"))));
    }
    candidate(name.to_owned(), ServerKind::NegativeControl, to, &["{port}"]).map(Ok)
}

/// Asks a server twice; one that neither instrument could ask is not there.
fn asked(
    instruments: &Instruments<'_>,
    candidate: ServerCandidate,
) -> Result<Result<ObservedServer, UnobservedServer>> {
    let name = candidate.subject.name.clone();
    let (libc, traced) = instruments.observe(&candidate.subject).with_context(|| name.clone())?;
    let (traced, not_traced) = match traced {
        Ok(asked) => (Some(asked), None),
        Err(why) => (None, Some(format!("no system calls: {why}"))),
    };
    let failed = |asked: &ProbeResult| {
        asked
            .fault
            .as_ref()
            .map(|fault| format!("it {}: {}", fault.kind, fault.what))
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
    // Where things lay on this machine is nobody else's business.
    let hook = instruments.setting.hook.to_string_lossy();
    let place = candidate.place.map(|folder| format!("{}/", folder.display()));
    let reasons = reasons.map(|reason| {
        let reason = reason.replace(&*hook, "the hook");
        place.as_ref().map_or(reason.clone(), |place| reason.replace(place, ""))
    });
    let reasons: BTreeSet<String> = reasons.collect();
    let agreement = agreement(&libc, traced.as_ref());
    let sent_bytes = libc.sent_bytes.max(traced.as_ref().map_or(0, |asked| asked.sent_bytes));
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
        system_calls: traced.filter(|asked| asked.fault.is_none()).map(|asked| asked.passed),
        agreement,
        reasons: reasons.into_iter().collect(),
    }))
}
