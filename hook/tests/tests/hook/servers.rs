//! Real servers under load, with and without the hook: the answers are equal byte for byte, and the counters equal the
//! load. `READHOOK_TEST_REQUESTS` sets the number of requests to each server.

mod blocked;
mod client;
mod process;
mod protocol;
mod telemetry;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use client::Load;
use hook_tests::{bare, machine};
use nix::sys::signal::Signal;
use process::{Kind, Server};
use protocol::Protocol;
use telemetry::{counters, logging};
use tempfile::TempDir;

/// Number of signals that interrupt a load, such as a reload of the configuration.
const SIGNALS: u32 = 12;

fn requests() -> usize {
    let asked = std::env::var("READHOOK_TEST_REQUESTS").ok();
    asked.map_or(4_000, |count| {
        count.parse().expect("READHOOK_TEST_REQUESTS: expected a number")
    })
}

/// Sends the same load to a server with and without the hook and compares the answers.
fn compare(kind: Kind) -> Result<()> {
    if let Some(missing) = kind.missing() {
        println!("SKIPPED: hook in {kind:?}: {missing}");
        return Ok(());
    }
    let load = Load {
        protocol: kind.protocol(),
        requests: requests(),
        interrupted: false,
    };
    let directory = TempDir::new()?;
    let log = directory.path().join("log");
    let bare = load.run(&Server::start(kind, directory.path(), &[])?)?;
    let server = Server::start(kind, directory.path(), &logging(directory.path(), &log)?)?;
    let hooked = load.run(&server)?;
    drop(server);
    ensure!(
        bare.answers == hooked.answers,
        "{kind:?}: {}",
        bare.first_difference(&hooked)
    );
    let counters = counters(directory.path())?;
    let seen = (counters.payload_bytes, counters.hits, counters.sockets_accepted);
    // The connections that test whether the server is ready carry no payload.
    ensure!(
        seen.0 == hooked.sent_bytes && seen.1 == hooked.words,
        "{kind:?}: {hooked} {counters:?}"
    );
    ensure!(seen.2 >= hooked.connections, "{kind:?}: {hooked} {counters:?}");
    ensure!(
        counters.payload_receives >= load.requests as u64,
        "{kind:?}: {hooked} {counters:?}"
    );
    if let Kind::Sut { .. } = kind {
        ensure!(
            counters.payload_receives == hooked.writes,
            "{kind:?}: {hooked} {counters:?}"
        );
    }
    let lines = fs::read_to_string(&log)?.lines().count() as u64;
    ensure!(
        (counters.log_written, counters.log_dropped) == (lines, 0) && lines == hooked.words,
        "{counters:?}"
    );
    Ok(())
}

#[test]
fn nginx() -> Result<()> {
    compare(Kind::Nginx)
}

#[test]
fn redis() -> Result<()> {
    compare(Kind::Redis)
}

#[test]
fn node() -> Result<()> {
    compare(Kind::Node)
}

#[test]
fn python() -> Result<()> {
    compare(Kind::Python)
}

#[test]
fn java() -> Result<()> {
    compare(Kind::Java)
}

#[test]
fn sut_in_all_its_call_styles() -> Result<()> {
    for accept in ["accept", "accept4"] {
        for receive in ["read", "recv"] {
            compare(Kind::Sut { accept, receive })?;
        }
    }
    Ok(())
}

/// Covers edge-triggered epoll (nginx), level-triggered epoll (redis, node) and blocking calls (python, java, our
/// server).
#[test]
fn blocking_in_each_server() -> Result<()> {
    let (accept, receive) = ("accept4", "recv");
    for kind in [
        Kind::Nginx,
        Kind::Redis,
        Kind::Node,
        Kind::Python,
        Kind::Java,
        Kind::Sut { accept, receive },
    ] {
        blocked::compare(kind).with_context(|| format!("{kind:?}"))?;
    }
    Ok(())
}

/// Covers a log that cannot be opened, a full disk, workers that are replaced, and logs that are reopened.
#[test]
fn nginx_with_a_useless_log_and_signals() -> Result<()> {
    let kind = Kind::Nginx;
    if let Some(missing) = kind.missing() {
        println!("SKIPPED: hook in {kind:?} under signals: {missing}");
        return Ok(());
    }
    let load = Load {
        protocol: Protocol::Http,
        requests: requests(),
        interrupted: true,
    };
    let directory = TempDir::new()?;
    let bare = load.run(&Server::start(kind, directory.path(), &[])?)?;
    for log in ["/proc/nowhere/log", "/dev/full"] {
        let server = Server::start(kind, directory.path(), &logging(directory.path(), log.as_ref())?)?;
        let hooked = std::thread::scope(|scope| {
            let storm = scope.spawn(|| server.storm(&[Signal::SIGUSR1, Signal::SIGHUP, Signal::SIGUSR1], SIGNALS));
            let hooked = load.run(&server);
            storm.join().expect("signals")?;
            hooked
        })?;
        drop(server);
        ensure!(
            bare.answers == hooked.answers,
            "{log}: {}",
            bare.first_difference(&hooked)
        );
        let counters = counters(directory.path())?;
        // The client sent a request again if its worker ended in the meantime.
        ensure!(
            counters.hits >= hooked.words && counters.log_dropped == counters.hits,
            "{log}: {counters:?}"
        );
    }
    Ok(())
}

/// The hook does not see a program that does not call libc. The telemetry shows that the hook never attached.
#[test]
fn a_static_program_is_not_covered() -> Result<()> {
    let directory = TempDir::new()?;
    let program = directory.path().join("static");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/ending.c");
    let compiled = machine::compiler()
        .args(["-static", "-w", "-o"])
        .arg(&program)
        .arg(source)
        .output()?;
    if !compiled.status.success() {
        println!("SKIPPED: hook in a static program: cc -static fails here");
        return Ok(());
    }
    let settings = logging(directory.path(), &directory.path().join("log"))?;
    let output = bare(&program).arg("closed").envs(settings).output()?;
    ensure!(output.status.success());
    let counters = counters(directory.path())?;
    ensure!((counters.attached, counters.payload_receives) == (0, 0), "{counters:?}");
    Ok(())
}

#[test]
fn a_go_program_is_not_covered() -> Result<()> {
    // Go compiles for every architecture.
    if let Err(error) = Command::new("go").arg("version").output() {
        println!("SKIPPED: hook in a Go program: go: {error}; install go");
        return Ok(());
    }
    let directory = TempDir::new()?;
    let source = directory.path().join("main.go");
    fs::write(
        &source,
        "package main\nimport \"net\"\nfunc main() {\n l, _ := net.Listen(\"tcp\", \"127.0.0.1:0\")\n go func() { c, _ := net.Dial(\"tcp\", l.Addr().String()); c.Write([]byte(\".env\")); c.Close() }()\n c, _ := l.Accept()\n b := make([]byte, 9)\n c.Read(b)\n}\n",
    )?;
    let program = directory.path().join("go");
    let mut build = Command::new("go");
    if machine::emulated().is_some() {
        build.env("GOARCH", "arm64");
    }
    let built = build
        .args(["build", "-o"])
        .arg(&program)
        .arg(&source)
        .env("CGO_ENABLED", "0")
        .output()?;
    ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let settings = logging(directory.path(), &directory.path().join("log"))?;
    ensure!(bare(&program).envs(settings).output()?.status.success());
    ensure!(counters(directory.path())?.payload_receives == 0);
    Ok(())
}
