//! A run on a real cluster reports a lost pod, a lost node and a restart of the API server, and the same command continues it.
//! Commands from the environment cause the faults, because only the owner of a cluster can: `KUBE_STOP_NODE` and
//! `KUBE_START_NODE`, to which the test appends a node's name, and `KUBE_RESTART_API`.

use std::process::Command;

use crate::common::namespace::{Namespace, at_work, kubectl};
use crate::common::{Desk, SMALL, finished, success};
use dataset::{ObservationReader, Run};

/// Returns a definition whose launches last for seconds on every machine, because each request has a busy wait.
fn seconds() -> String {
    SMALL
        .replace("rounds = 60", "rounds = 5_000")
        .replace("work_ns = 0", "work_ns = 400_000")
}

/// Causes a fault in the second launch. The run must report the fault, keep the files of the first launch and none of the second,
/// and leave no pod. The same command must then complete the run.
fn interrupted(test: &str, happens: impl FnOnce(&Namespace), is_over: impl FnOnce()) {
    let Some(namespace) = Namespace::new(test) else { return };
    let desk = Desk::new();
    let mut runner = namespace.run(&desk, &seconds(), "kubernetes-nodes");
    let mut runner = runner.stderr(std::process::Stdio::piped()).spawn().unwrap();
    at_work(&desk, &mut runner, "kubernetes-nodes/0001");
    happens(&namespace);
    let output = runner.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    is_over();
    assert!(
        !output.status.success() && said.contains("the same command goes on"),
        "{said}"
    );
    println!(
        "{test}: {}",
        said.lines()
            .filter(|line| line.contains("annot"))
            .collect::<Vec<_>>()
            .join("; ")
    );
    let kept = finished(&desk.path("run"));
    let of_launch = |folder: &str| kept.iter().filter(|(name, _)| name.contains(folder)).count();
    assert!(of_launch("/0000/") > 0 && of_launch("/0001/") == 0, "{kept:?}");
    assert!(!desk.path("run/manifest.json").exists());
    assert_eq!(namespace.pods(), "");
    success(&mut namespace.run(&desk, &seconds(), "kubernetes-nodes"));
    let run = Run::open(&desk.path("run")).unwrap();
    run.verify().unwrap();
    for launch in &run.manifest.launches {
        let reader = ObservationReader::open(&run.directory.join(&launch.files.observations)).unwrap();
        assert_eq!(reader.rows(), 3 * 5_000);
    }
    let all = finished(&desk.path("run"));
    assert!(
        kept.iter().all(|file| all.contains(file)),
        "a finished launch was changed"
    );
    assert_eq!(namespace.pods(), "");
}

#[test]
fn a_run_goes_on_after_a_lost_pod() {
    let delete = |namespace: &Namespace| {
        let of_arms = "hook-latency.part=arms";
        kubectl(&[
            "delete",
            "pod",
            "--namespace",
            &namespace.name,
            "--selector",
            of_arms,
            "--wait=false",
        ]);
    };
    interrupted("lost-pod", delete, || ());
}

/// Returns a command line from the environment. Returns `None`, and prints it as skipped, where the variable is not set.
fn command(test: &str, variable: &str) -> Option<Vec<String>> {
    let Ok(line) = std::env::var(variable) else {
        println!("SKIPPED: kubernetes, {test}: {variable} names no command");
        return None;
    };
    Some(shlex::split(&line).expect("quotes in pairs"))
}

/// Runs a command line with further words.
fn act(line: &[String], more: &[&str]) {
    let (program, words) = line.split_first().unwrap();
    let status = Command::new(program).args(words).args(more).status().unwrap();
    assert!(status.success(), "{line:?}");
}

#[test]
fn a_run_goes_on_after_a_lost_node() {
    let test = "lost-node";
    let (Some(stop), Some(start)) = (command(test, "KUBE_STOP_NODE"), command(test, "KUBE_START_NODE")) else {
        return;
    };
    // The node that runs the arms' pod.
    let node = std::cell::RefCell::new(String::new());
    let lose = |namespace: &Namespace| {
        let of_arms = "hook-latency.part=arms";
        let found = ["get", "pod", "--namespace", &namespace.name, "--selector", of_arms];
        let name = kubectl(&[&found[..], &["--output", "jsonpath={.items[0].spec.nodeName}"]].concat());
        act(&stop, &[&name]);
        node.replace(name);
    };
    interrupted(test, lose, || {
        act(&start, &[&node.borrow()]);
        kubectl(&[
            "wait",
            "--for=condition=Ready",
            "node",
            &node.borrow(),
            "--timeout=300s",
        ]);
    });
}

#[test]
fn a_run_goes_on_after_a_restart_of_the_api_server() {
    let test = "restarted";
    let Some(restart) = command(test, "KUBE_RESTART_API") else {
        return;
    };
    interrupted(test, |_| act(&restart, &[]), || ());
}
