//! The sampler beside a server, as in a container.

use std::path::Path;
use std::process::{Child, Output};

use agent::{ContainerRecording, ReadinessSign, ServerReport, StartRequest};
use model::{Measure, ResourceSubject};

use super::terminate;

fn agent(work: &Path, words: &[&str]) -> Output {
    super::agent(work).args(words).output().unwrap()
}

/// Ends the sampler and returns its recording.
fn stop_sampling(work: &Path) -> ContainerRecording {
    let output = agent(work, &["stop-sampling"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A server under the agent, which ends it.
struct Arm(Child);

impl Drop for Arm {
    fn drop(&mut self) {
        terminate(&self.0);
        _ = self.0.wait();
    }
}

#[test]
fn a_server_and_its_machine_are_sampled_from_start_to_stop() {
    let work = tempfile::tempdir().unwrap();
    let mut command = super::agent(work.path());
    let _arm = Arm(command.args(["arm", "--processor", "first"]).spawn().unwrap());
    let start = StartRequest {
        command: ["sh", "-c", "echo listening x:1; sleep 60; true"]
            .map(str::to_owned)
            .to_vec(),
        environment: [].into(),
        files: [].into(),
        records: None,
        stamps: None,
        ready: ReadinessSign::Announcement,
    };
    std::fs::create_dir(work.path().join("own")).unwrap();
    std::fs::write(work.path().join("start.json"), serde_json::to_string(&start).unwrap()).unwrap();
    let ready: ServerReport = serde_json::from_slice(&agent(work.path(), &["ready"]).stdout).unwrap();
    let begun = agent(work.path(), &["start-sampling", "--arm", "scan", "--node", "here"]);
    assert!(begun.status.success(), "{}", String::from_utf8_lossy(&begun.stderr));
    let sampled = stop_sampling(work.path());
    assert_eq!(sampled.placement.boot_id, ready.placement.boot_id);
    let samples = &sampled.recording.samples;
    let threads = |subject: &ResourceSubject| {
        let of = samples.iter().filter(|sample| sample.subject == *subject);
        of.filter_map(|sample| sample.usage[Measure::Threads])
            .collect::<Vec<_>>()
    };
    let server = threads(&ResourceSubject::Arm("scan".to_owned()));
    assert!(
        server.len() >= 2 && server.iter().all(|count| *count == 1),
        "{server:?}"
    );
    assert!(threads(&ResourceSubject::Node("here".to_owned())).len() >= 2);
}

#[test]
fn the_sampler_waits_for_a_program_that_has_not_started() {
    let work = tempfile::tempdir().unwrap();
    let begun = agent(work.path(), &["start-sampling", "--program", "/nowhere/loadgen"]);
    assert!(begun.status.success(), "{}", String::from_utf8_lossy(&begun.stderr));
    let sampled = stop_sampling(work.path());
    let missing = &sampled.recording.missing;
    assert!(
        missing.iter().any(|missing| missing.reason == "no source has it"),
        "{missing:?}"
    );
}

#[test]
fn the_reason_why_sampling_fails_is_reported() {
    let work = tempfile::tempdir().unwrap();
    for (words, expected) in [
        (&["stop-sampling"][..], "no sampler runs here"),
        (&["start-sampling", "--arm", "scan"], "server.json"),
    ] {
        let output = agent(work.path(), words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{said}");
    }
}
