//! Launches in containers of Docker. Each test locks the engine, and checks that nothing of it is left.

use std::collections::BTreeSet;
use std::process::{Child, Command};

use crate::common::engine::{docker, engine, everything, run};
use crate::common::{
    Desk, SMALL, failure, finished, launch_folders, once, place, received, sampled, signal, success, wait_for, warnings,
};
use dataset::{ObservationReader, Run};
use nix::sys::signal::Signal;

/// Waits until the load generator of launch 0 works, and returns the common beginning of the names of the containers.
fn at_work(desk: &Desk, runner: &mut Child) -> String {
    let plan = desk.path("run/docker/0000.unfinished/plan.json");
    wait_for(runner, || plan.exists());
    let names = docker(&["ps", "--format", "{{.Names}}", "--filter", "label=hook-latency.run"]).unwrap();
    let name = names.lines().find(|name| name.ends_with("-loadgen")).unwrap();
    // The runner writes the plan before it counts and samples the arms, which must still run then.
    wait_for(runner, || {
        docker(&["top", name]).is_ok_and(|processes| processes.contains("--plan"))
    });
    name.trim_end_matches("loadgen").to_owned()
}

/// Returns a definition that takes longer than any test.
fn long() -> String {
    once().replace("rounds = 60", "rounds = 10_000_000")
}

#[test]
fn an_experiment_is_measured_in_containers_and_nothing_is_left() {
    let Some((_guard, before)) = engine("an experiment") else {
        return;
    };
    let desk = Desk::new();
    success(&mut run(&desk, SMALL));
    assert_eq!(everything(), before);
    let run = Run::open(&desk.path("run")).unwrap();
    assert_eq!(run.manifest.launches.len(), 2);
    assert_eq!(run.manifest.conditions[0].level, "containers");
    assert!(run.manifest.tools["docker: engine"].contains("API"));
    for launch in &run.manifest.launches {
        assert_eq!(launch.condition, "docker");
        let reader = ObservationReader::open(&run.directory.join(&launch.files.observations)).unwrap();
        assert_eq!(reader.rows(), 3 * 60);
        sampled(&run, launch);
        received(launch, true);
        let hosts = launch.arms.iter().map(|arm| arm.address.split(':').next().unwrap());
        let hosts: BTreeSet<&str> = hosts.collect();
        assert_eq!(hosts.len(), 3, "each arm is to have a container of its own");
        assert_eq!(launch.arms[2].telemetry.unwrap().records, 50);
        assert!(
            launch.loadgen.as_ref().unwrap().stamped_share > Some(0.9),
            "{:?}",
            launch.loadgen
        );
    }
    // The same command changes no finished launch.
    let files = finished(&desk.path("run"));
    success(&mut self::run(&desk, SMALL));
    assert_eq!(finished(&desk.path("run")), files);
    assert_eq!(everything(), before);
}

#[test]
fn a_throttled_arm_is_flagged_and_no_other() {
    let Some((_guard, before)) = engine("a throttled arm") else {
        return;
    };
    let desk = Desk::new();
    // 5 ms of work in each request, and 5 ms of processor time in each period of 100 ms.
    let text = once()
        .replace("work_ns = 0", "work_ns = 5_000_000")
        .replace("timeout_ms = 2_000", "timeout_ms = 60_000")
        .replace("rounds = 60", "rounds = 12")
        .replace(
            "treatment = \"scan\"",
            "treatment = \"scan\"\nlimits = { quota_cores = 0.05 }",
        );
    success(&mut run(&desk, &text));
    let run = Run::open(&desk.path("run")).unwrap();
    let launch = &run.manifest.launches[0];
    let throttled: Vec<String> = warnings(launch)
        .into_iter()
        .filter(|warning| warning.contains("throttled in"))
        .collect();
    assert!(!launch.valid && throttled.len() == 1, "{:?}", warnings(launch));
    assert!(throttled[0].starts_with("scan: "), "{throttled:?}");
    assert_eq!(everything(), before);
}

#[test]
fn an_arm_out_of_memory_is_an_error_at_its_start_and_flagged_later() {
    let Some((_guard, before)) = engine("an arm out of memory") else {
        return;
    };
    let desk = Desk::new();
    let limited = |text: &str| {
        text.replace(
            "treatment = \"scan\"",
            "treatment = \"scan\"\nlimits = { memory_bytes = 33_554_432 }",
        )
    };
    let text = limited(SMALL).replace("response_bytes = 16", "response_bytes = 100_000_000");
    let error = failure(&mut run(&desk, &text));
    assert!(
        error.contains("arm scan") && error.contains("signal 9") && error.contains("a limit of 33554432 bytes"),
        "{error}"
    );
    assert_eq!(everything(), before);

    let desk = Desk::new();
    // The runner fetches telemetry files with room for all requests, which takes minutes for ten million of them.
    let text = limited(&long()).replace("rounds = 10_000_000", "rounds = 200_000");
    let mut runner = run(&desk, &text).spawn().unwrap();
    let names = at_work(&desk, &mut runner);
    // Another process in the arm's container needs more memory than the limit; the kernel kills the server.
    let hog = ["--listen", "127.0.0.1:1", "--response-bytes", "100000000"];
    let arm = format!("{names}arm-1");
    let hogged = docker(&[&["exec", &arm, "/bin/sut"][..], &hog].concat());
    assert!(hogged.is_err(), "the hog had room: {hogged:?}");
    assert!(runner.wait().unwrap().success());
    let run = Run::open(&desk.path("run")).unwrap();
    let launch = &run.manifest.launches[0];
    let killed = |warning: &String| warning.starts_with("scan: ") && warning.contains("killed because memory ran out");
    assert!(
        !launch.valid && warnings(launch).iter().any(killed),
        "{:?}",
        warnings(launch)
    );
    assert_eq!(everything(), before);
}

#[test]
fn a_container_removed_in_mid_run_is_an_error_and_no_dataset() {
    let Some((_guard, before)) = engine("a removed container") else {
        return;
    };
    let desk = Desk::new();
    let mut runner = run(&desk, &long()).spawn().unwrap();
    let names = at_work(&desk, &mut runner);
    docker(&["rm", "--force", &format!("{names}loadgen")]).unwrap();
    assert!(!runner.wait().unwrap().success());
    assert!(finished(&desk.path("run")).is_empty() && !desk.path("run/manifest.json").exists());
    assert_eq!(everything(), before);
}

#[test]
fn sigterm_removes_everything_and_cluster_down_removes_the_leftovers_of_a_kill() {
    let Some((_guard, before)) = engine("signals") else {
        return;
    };
    let desk = Desk::new();
    let text = long();
    let mut runner = run(&desk, &text).spawn().unwrap();
    at_work(&desk, &mut runner);
    signal(&runner, Signal::SIGTERM);
    assert!(!runner.wait().unwrap().success());
    assert_eq!(everything(), before);

    let mut runner = run(&desk, &text).spawn().unwrap();
    at_work(&desk, &mut runner);
    // SIGKILL: the runner can do nothing any more.
    runner.kill().unwrap();
    runner.wait().unwrap();
    let cluster = |verb: &str| {
        let output = Command::new(desk.path("bin/runner"))
            .args(["cluster", verb])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let status = cluster("status");
    for (kind, number) in [("container", 4), ("network", 1), ("image", 1)] {
        let found = status
            .lines()
            .filter(|line| line.starts_with(&format!("{kind} ")))
            .count();
        assert!(found >= number, "{status}");
    }
    cluster("down");
    assert!(cluster("status").starts_with("0 found"));
    assert_eq!(everything(), before);
}

#[test]
fn an_engine_that_does_not_answer_is_an_error_with_the_fix() {
    let desk = Desk::new();
    let nowhere = ["--docker-host", "unix:///nowhere.sock"];
    let error = failure(run(&desk, SMALL).args(nowhere));
    assert!(error.contains("no condition is available on this machine"), "{error}");
    let docker = place(&desk, "docker", &nowhere);
    assert_eq!(docker["available"], false);
    let reason = docker["reason"].as_str().unwrap();
    assert!(
        reason.contains("unix:///nowhere.sock") && reason.contains("install and start Docker"),
        "{reason}"
    );
    // With two conditions, the available one is measured, and the manifest has the reason for the other.
    let desk = Desk::new();
    let mut command = desk.run(&once());
    success(command.args(["--conditions", "local-pod,docker"]).args(nowhere));
    let run = Run::open(&desk.path("run")).unwrap();
    let told = run
        .manifest
        .conditions
        .iter()
        .find(|condition| condition.name == "docker")
        .unwrap();
    assert!(told.not_run.as_ref().unwrap().contains("nowhere.sock"));
    assert!(launch_folders(&desk.path("run")).len() == 1);
}
