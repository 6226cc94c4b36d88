//! The agent as a container runs it, but for being process 1.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use agent::{Evidence, Header, Place, RECEIVED, Ready, Server, Start, Status};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::de::DeserializeOwned;

fn agent(work: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("agent"));
    command.arg("--work").arg(work).stdin(Stdio::null());
    command
}

fn end(process: &Child) {
    kill(Pid::from_raw(process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
}

/// A server under the agent; it ends with the test.
struct Arm {
    agent: Child,
    work: tempfile::TempDir,
}

impl Arm {
    /// Of this command, told what else is there.
    fn start(command: &[&str], ready: Ready) -> Self {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        Self::told(&Start {
            command,
            environment: [("SAID".to_owned(), "listening x:1".to_owned())].into(),
            files: [("conf/a.conf".to_owned(), "a text\n".to_owned())].into(),
            records: Some(3),
            stamps: None,
            ready,
        })
    }

    fn told(start: &Start) -> Self {
        let work = tempfile::tempdir().unwrap();
        let process = agent(work.path())
            .args(["arm", "--processor", "first"])
            .spawn()
            .unwrap();
        let arm = Self { agent: process, work };
        let mut tell = agent(arm.work.path())
            .arg("start")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let line = serde_json::to_string(start).unwrap() + "\n";
        // Its end does not come, as over some engines.
        let mut stdin = tell.stdin.take().unwrap();
        stdin.write_all(line.as_bytes()).unwrap();
        assert!(tell.wait().unwrap().success());
        arm
    }

    fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> T {
        let output = agent(self.work.path()).args(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn ready(&self) -> Status {
        self.ask::<Server>(&["ready"]).status
    }
}

impl Drop for Arm {
    fn drop(&mut self) {
        // Process 1 takes the server with it in a container; here it asks it to end.
        end(&self.agent);
        _ = self.agent.wait();
    }
}

#[test]
fn a_server_is_started_looked_at_and_stopped() {
    let script = "cat conf/a.conf && echo $SAID && exec sleep 60";
    let arm = Arm::start(&["sh", "-c", script], Ready::Says);
    assert_eq!(arm.ready(), Status::Listening);
    let evidence: Evidence = arm.ask(&["evidence", "--library", "/nowhere.so", "--port", "1"]);
    assert!(!evidence.mapped);
    // `sleep` maps its own file.
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", evidence.server.pid)).unwrap();
    let own = maps.lines().next().unwrap().split_whitespace().last().unwrap();
    assert!(
        arm.ask::<Evidence>(&["evidence", "--library", own, "--port", "1"])
            .mapped
    );
    let place: Place = arm.ask(&["place", "--processor", "first"]);
    assert_eq!(place, evidence.server.place);
    // How it was before it was asked to end.
    assert_eq!(arm.ask::<Server>(&["stop"]).status, Status::Listening);
    assert_eq!(arm.ready(), Status::Killed(15));
    assert_eq!(arm.ask::<Server>(&["stop"]).status, Status::Killed(15));
    // What it left is still there.
    let telemetry = std::fs::read(arm.work.path().join("telemetry")).unwrap();
    assert_eq!(telemetry.len() as u64, readhook_telemetry::file_len(3));
}

#[test]
fn a_server_that_ends_before_it_listens_is_told_with_its_status() {
    let arm = Arm::start(&["sh", "-c", "exit 3"], Ready::Says);
    assert_eq!(arm.ready(), Status::Exited(3));
}

#[test]
fn one_that_says_nothing_is_waited_for_and_no_longer() {
    let arm = Arm::start(&["sleep", "60"], Ready::Says);
    let output = agent(arm.work.path())
        .args(["ready", "--timeout-s", "0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("does not listen after 0 s"),
        "{said}"
    );
}

#[test]
fn one_that_cannot_say_it_is_known_by_its_port() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server =
        "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), None).serve_forever()";
    let arm = Arm::start(&["python3", "-c", server, &port.to_string()], Ready::Listens(port));
    assert_eq!(arm.ready(), Status::Listening);
    std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    // It is the process that holds the socket, and no other, which is looked into.
    let launcher = Arm::start(&["sh", "-c", "sleep 60; true"], Ready::Starts);
    assert_eq!(launcher.ready(), Status::Listening);
    let asked =
        |library: &str| -> Evidence { launcher.ask(&["evidence", "--library", library, "--port", &port.to_string()]) };
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", arm.ask::<Server>(&["ready"]).pid)).unwrap();
    let mut files = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    let program = files.find(|path| path.contains("python")).unwrap();
    assert!(asked(program).mapped && !asked("/nowhere.so").mapped);
    let neighbour = Arm::start(&["sleep", "60"], Ready::Starts);
    assert_eq!(neighbour.ready(), Status::Listening);
}

#[test]
fn what_is_not_said_in_json_is_refused() {
    let work = tempfile::tempdir().unwrap();
    for verb in ["start", "tight-loop"] {
        let output = agent(work.path()).arg(verb).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("expected a line of JSON"),
            "{said}"
        );
    }
}

/// Exports a file and answers.
fn export(path: &Path, answer: &[u8]) -> (Header, Vec<u8>, Output) {
    let mut child = agent(Path::new("/"))
        .arg("export")
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdin.write_all(answer).unwrap();
    drop(stdin);
    let mut printed = Vec::new();
    stdout.read_to_end(&mut printed).unwrap();
    let end = printed.iter().position(|&byte| byte == b'\n').unwrap();
    let header = serde_json::from_slice(&printed[..end]).unwrap();
    (header, printed.split_off(end + 1), child.wait_with_output().unwrap())
}

#[test]
fn an_export_ends_well_only_when_it_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&path, &content).unwrap();
    let (header, exported, output) = export(&path, RECEIVED);
    assert_eq!((header.bytes, &exported), (1_200_000, &content));
    let sum = Command::new("sha256sum").arg(&path).output().unwrap();
    assert!(String::from_utf8_lossy(&sum.stdout).starts_with(&header.sha256));
    assert!(output.status.success());
    let (_, _, output) = export(&path, b"");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody said"));
}

#[test]
fn process_1_idles_until_it_is_told_to_end() {
    let mut idle = agent(Path::new("/")).arg("idle").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(idle.try_wait().unwrap().is_none());
    end(&idle);
    let asked = Instant::now();
    while idle.try_wait().unwrap().is_none() {
        assert!(asked.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(idle.wait().unwrap().success());
}
