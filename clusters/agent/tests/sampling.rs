//! The sampler beside a server, as in a container.

use std::path::Path;
use std::process::{Child, Command, Output};

use agent::{Ready, Sampled, Server, Start};
use dataset::{Measure, Subject};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn agent(work: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("agent"));
    command.arg("--work").arg(work).args(words).output().unwrap()
}

/// What the sampler had when it was ended.
fn watched(work: &Path) -> Sampled {
    let output = agent(work, &["watched"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A server under the agent, which ends it.
struct Arm(Child);

impl Drop for Arm {
    fn drop(&mut self) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        _ = self.0.wait();
    }
}

#[test]
fn a_server_and_its_machine_are_sampled_from_the_first_question_to_the_last() {
    let work = tempfile::tempdir().unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("agent"));
    command
        .arg("--work")
        .arg(work.path())
        .args(["arm", "--processor", "first"]);
    let _arm = Arm(command.spawn().unwrap());
    let start = Start {
        command: ["sh", "-c", "echo listening x:1; sleep 60; true"]
            .map(str::to_owned)
            .to_vec(),
        environment: [].into(),
        files: [].into(),
        records: None,
        stamps: None,
        ready: Ready::Says,
    };
    std::fs::create_dir(work.path().join("own")).unwrap();
    std::fs::write(work.path().join("start.json"), serde_json::to_string(&start).unwrap()).unwrap();
    let ready: Server = serde_json::from_slice(&agent(work.path(), &["ready"]).stdout).unwrap();
    let begun = agent(work.path(), &["watch", "--arm", "scan", "--node", "here"]);
    assert!(begun.status.success(), "{}", String::from_utf8_lossy(&begun.stderr));
    let sampled = watched(work.path());
    assert_eq!(sampled.place.boot_id, ready.place.boot_id);
    let samples = &sampled.watching.samples;
    let threads = |subject: &Subject| {
        let of = samples.iter().filter(|sample| sample.subject == *subject);
        of.filter_map(|sample| sample.usage[Measure::Threads])
            .collect::<Vec<_>>()
    };
    let server = threads(&Subject::Arm("scan".to_owned()));
    assert!(
        server.len() >= 2 && server.iter().all(|count| *count == 1),
        "{server:?}"
    );
    assert!(threads(&Subject::Node("here".to_owned())).len() >= 2);
}

#[test]
fn a_program_that_is_yet_to_come_is_awaited() {
    let work = tempfile::tempdir().unwrap();
    let begun = agent(work.path(), &["watch", "--program", "/nowhere/prober"]);
    assert!(begun.status.success(), "{}", String::from_utf8_lossy(&begun.stderr));
    let sampled = watched(work.path());
    let why = &sampled.watching.missing;
    assert!(
        why.iter().any(|missing| missing.reason == "no source has it"),
        "{why:?}"
    );
}

#[test]
fn what_cannot_be_sampled_is_told_with_its_reason() {
    let work = tempfile::tempdir().unwrap();
    for (words, expected) in [
        (&["watched"][..], "nothing is sampled here"),
        (&["watch", "--arm", "scan"], "server.json"),
    ] {
        let output = agent(work.path(), words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{said}");
    }
}
