//! Servers that the agent starts, observes and stops; exported files.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use agent::{
    CpuPlacement, ExportHeader, HookEvidence, RECEIVED, ReadinessSign, ServerReport, ServerStatus, StartRequest,
};
use serde::de::DeserializeOwned;

use super::{agent, terminate};

/// A server under the agent; it ends with the test.
struct Arm {
    agent: Child,
    work: tempfile::TempDir,
}

impl Arm {
    /// Starts a command, with a variable, a file and telemetry.
    fn start(command: &[&str], ready: ReadinessSign) -> Self {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        Self::start_with(&StartRequest {
            command,
            environment: [("SAID".to_owned(), "listening x:1".to_owned())].into(),
            files: [("conf/a.conf".to_owned(), "a text\n".to_owned())].into(),
            records: Some(3),
            stamps: None,
            ready,
        })
    }

    fn start_with(start: &StartRequest) -> Self {
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
        // The input stays open, as with engines that cannot close it.
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

    fn ready(&self) -> ServerStatus {
        self.ask::<ServerReport>(&["ready"]).status
    }
}

impl Drop for Arm {
    fn drop(&mut self) {
        // In a container the server ends with process 1; here process 1 sends SIGTERM to it.
        terminate(&self.agent);
        _ = self.agent.wait();
    }
}

#[test]
fn a_server_is_started_observed_and_stopped() {
    let script = "cat conf/a.conf && echo $SAID && exec sleep 60";
    let arm = Arm::start(&["sh", "-c", script], ReadinessSign::Announcement);
    assert_eq!(arm.ready(), ServerStatus::Listening);
    let evidence: HookEvidence = arm.ask(&["evidence", "--library", "/nowhere.so", "--port", "1"]);
    assert!(!evidence.mapped);
    // `sleep` maps its own file.
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", evidence.server.pid)).unwrap();
    let own = maps.lines().next().unwrap().split_whitespace().last().unwrap();
    assert!(
        arm.ask::<HookEvidence>(&["evidence", "--library", own, "--port", "1"])
            .mapped
    );
    let placement: CpuPlacement = arm.ask(&["confine", "--processor", "first"]);
    assert_eq!(placement, evidence.server.placement);
    // The status before the stop.
    assert_eq!(arm.ask::<ServerReport>(&["stop"]).status, ServerStatus::Listening);
    assert_eq!(arm.ready(), ServerStatus::Killed(15));
    assert_eq!(arm.ask::<ServerReport>(&["stop"]).status, ServerStatus::Killed(15));
    // Its files are still there.
    let telemetry = std::fs::read(arm.work.path().join("telemetry")).unwrap();
    assert_eq!(telemetry.len() as u64, readhook_telemetry::file_len(3));
}

#[test]
fn the_status_of_a_server_that_ends_before_it_listens_is_reported() {
    let arm = Arm::start(&["sh", "-c", "exit 3"], ReadinessSign::Announcement);
    assert_eq!(arm.ready(), ServerStatus::Exited(3));
}

#[test]
fn a_silent_server_is_waited_for_until_the_timeout() {
    let arm = Arm::start(&["sleep", "60"], ReadinessSign::Announcement);
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
fn a_server_without_announcement_is_ready_when_its_port_listens() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server =
        "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), None).serve_forever()";
    let arm = Arm::start(
        &["python3", "-c", server, &port.to_string()],
        ReadinessSign::ListeningPort(port),
    );
    assert_eq!(arm.ready(), ServerStatus::Listening);
    std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    // The agent searches the process that holds the socket for the library, and no other process.
    let launcher = Arm::start(&["sh", "-c", "sleep 60; true"], ReadinessSign::Started);
    assert_eq!(launcher.ready(), ServerStatus::Listening);
    let evidence = |library: &str| -> HookEvidence {
        launcher.ask(&["evidence", "--library", library, "--port", &port.to_string()])
    };
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", arm.ask::<ServerReport>(&["ready"]).pid)).unwrap();
    let mut files = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    let program = files.find(|path| path.contains("python")).unwrap();
    assert!(evidence(program).mapped && !evidence("/nowhere.so").mapped);
    let neighbour = Arm::start(&["sleep", "60"], ReadinessSign::Started);
    assert_eq!(neighbour.ready(), ServerStatus::Listening);
}

#[test]
fn a_request_that_is_not_json_is_refused() {
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

/// Exports a file and acknowledges it.
fn export(path: &Path, answer: &[u8]) -> (ExportHeader, Vec<u8>, Output) {
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
fn an_export_succeeds_only_when_it_is_acknowledged() {
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
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody acknowledged"));
}

#[test]
fn process_1_idles_until_sigterm() {
    let mut idle = agent(Path::new("/")).arg("idle").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(idle.try_wait().unwrap().is_none());
    terminate(&idle);
    let asked = Instant::now();
    while idle.try_wait().unwrap().is_none() {
        assert!(asked.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(idle.wait().unwrap().success());
}
