//! Launches on a real cluster. Each test has a namespace of its own, and leaves no pod in it.

use std::fs;
use std::process::Command;

use crate::common::namespace::{Namespace, at_work, kubectl};
use crate::common::programs::is_there;
use crate::common::{Desk, SMALL, failure, file, finished, once, received, sampled, signal, success, with_server};
use dataset::{ObservationReader, Run};
use nix::sys::signal::Signal;

/// Returns a definition that takes longer than any test.
fn long() -> String {
    once()
        .replace("rounds = 60", "rounds = 1_000_000")
        .replace("work_ns = 0", "work_ns = 400_000")
}

#[test]
fn an_experiment_is_measured_on_a_cluster_and_nothing_is_left() {
    let Some(namespace) = Namespace::new("whole") else {
        return;
    };
    let desk = Desk::new();
    let conditions = "kubernetes-pod,kubernetes-nodes";
    success(&mut namespace.run(&desk, SMALL, conditions));
    assert_eq!(namespace.pods(), "");
    let run = Run::open(&desk.path("run")).unwrap();
    run.verify().unwrap();
    assert_eq!(run.manifest.launches.len(), 4);
    for launch in &run.manifest.launches {
        let reader = ObservationReader::open(&run.directory.join(&launch.files.observations)).unwrap();
        assert_eq!(reader.rows(), 3 * 60);
        sampled(&run, launch);
        received(launch, true);
        assert!(launch.node.is_some());
    }
    let files = finished(&desk.path("run"));
    success(&mut namespace.run(&desk, SMALL, conditions));
    assert_eq!(
        finished(&desk.path("run")),
        files,
        "the same command changes no finished launch"
    );
}

#[test]
fn a_server_behind_a_proxy_and_beside_a_neighbour_is_measured_in_pods() {
    let Some(namespace) = Namespace::new("programs") else {
        return;
    };
    if !is_there("nginx") || !is_there("haproxy") {
        println!("SKIPPED: programs in pods: nginx or haproxy is not installed");
        return;
    }
    let desk = Desk::new();
    let around = format!(
        "[[proxy]]\nfile = {:?}\n\n[neighbour]\ncommand = [\"dd\", \"if=/dev/zero\", \"of=/dev/null\"]\n\n[micro]\ncalls = 2_000\n\n[sut]",
        file("clusters/proxies/haproxy.toml")
    );
    let text = with_server(&once(), "nginx").replacen("[sut]", &around, 1);
    success(&mut namespace.run(&desk, &text, "kubernetes-pod,kubernetes-nodes"));
    assert_eq!(namespace.pods(), "");
    let run = Run::open(&desk.path("run")).unwrap();
    run.verify().unwrap();
    assert_eq!(run.manifest.launches.len(), 2);
    for launch in &run.manifest.launches {
        received(launch, false);
        assert!(launch.arms[1].tight_loop.is_some());
    }
}

#[test]
fn a_pod_that_is_deleted_is_an_error_and_no_dataset() {
    let Some(namespace) = Namespace::new("deleted") else {
        return;
    };
    for part in ["arms", "loadgen"] {
        let desk = Desk::new();
        let mut runner = namespace.run(&desk, &long(), "kubernetes-nodes");
        let mut runner = runner.stderr(std::process::Stdio::piped()).spawn().unwrap();
        at_work(&desk, &mut runner, "kubernetes-nodes/0000");
        let label = format!("hook-latency.part={part}");
        kubectl(&[
            "delete",
            "pod",
            "--namespace",
            &namespace.name,
            "--selector",
            &label,
            "--wait=false",
        ]);
        let output = runner.wait_with_output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("finished launches are kept, the same command goes on"),
            "{said}"
        );
        assert_eq!(finished(&desk.path("run")), [], "{part}");
        assert!(!desk.path("run/manifest.json").exists());
        assert_eq!(namespace.pods(), "");
    }
}

#[test]
fn a_signal_leaves_no_pod_and_what_a_kill_leaves_is_swept() {
    let Some(namespace) = Namespace::new("signal") else {
        return;
    };
    for by in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let desk = Desk::new();
        let mut runner = namespace.run(&desk, &long(), "kubernetes-pod").spawn().unwrap();
        at_work(&desk, &mut runner, "kubernetes-pod/0000");
        signal(&runner, by);
        assert!(!runner.wait().unwrap().success());
        if by == Signal::SIGKILL {
            assert_ne!(namespace.pods(), "");
            let mut down = Command::new(desk.path("bin/runner"));
            success(down.args(["cluster", "down", "kubernetes-pod", "--namespace", &namespace.name]));
        }
        assert_eq!(namespace.pods(), "", "{by}");
    }
}

#[test]
fn an_image_that_no_node_has_is_an_error() {
    let Some(namespace) = Namespace::new("image") else {
        return;
    };
    let desk = Desk::new();
    let mut command = desk.run(SMALL);
    command.args([
        "--conditions",
        "kubernetes-pod",
        "--namespace",
        &namespace.name,
        "--load-with",
        "true",
    ]);
    // Another image than the tests before have loaded.
    let program = desk.path("bin/sut");
    let mut bytes = fs::read(&program).unwrap();
    bytes.extend_from_slice(b"other");
    fs::write(&program, bytes).unwrap();
    let said = failure(&mut command);
    assert!(said.contains("--load-with"), "{said}");
    assert_eq!(namespace.pods(), "");
}
