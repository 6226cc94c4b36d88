//! Launches on a real cluster, where `KUBECONFIG` names one and `KUBE_LOAD_WITH` is the command that loads an archive of
//! images into all of its nodes. Each test has a namespace of its own, and leaves no pod in it.

mod common;

use std::fs;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use common::{Desk, SMALL, failure, finished, sampled, success};
use dataset::{ObservationReader, Run};

/// One at a time: a small cluster has no room for more.
static CLUSTER: Mutex<()> = Mutex::new(());

struct Namespace {
    name: String,
    load_with: String,
    _alone: MutexGuard<'static, ()>,
}

fn kubectl(words: &[&str]) -> String {
    let output = Command::new("kubectl").args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {words:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

impl Namespace {
    /// None where there is no cluster, which is said.
    fn new(test: &str) -> Option<Self> {
        let (Some(_), Ok(load_with)) = (std::env::var_os("KUBECONFIG"), std::env::var("KUBE_LOAD_WITH")) else {
            println!("SKIPPED: kubernetes, {test}: KUBECONFIG and KUBE_LOAD_WITH name no cluster");
            return None;
        };
        let alone = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("hook-latency-{test}-{}", std::process::id());
        kubectl(&["create", "namespace", &name]);
        Some(Self {
            name,
            load_with,
            _alone: alone,
        })
    }

    fn run(&self, desk: &Desk, text: &str, conditions: &str) -> Command {
        let mut command = desk.run(text);
        command.args([
            "--conditions",
            conditions,
            "--namespace",
            &self.name,
            "--load-with",
            &self.load_with,
        ]);
        command
    }

    fn pods(&self) -> String {
        kubectl(&["get", "pods", "--namespace", &self.name, "--output", "name"])
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

/// So many rounds that nobody waits for their end.
fn long() -> String {
    SMALL
        .replace("rounds = 60", "rounds = 10_000_000")
        .replace("launches = 2", "launches = 1")
}

/// Launches that last for seconds whatever the machine: so much work is in each request.
fn seconds() -> String {
    SMALL
        .replace("rounds = 60", "rounds = 5_000")
        .replace("work_ns = 0", "work_ns = 400_000")
}

/// Waits until the prober of a launch is at work.
fn at_work(desk: &Desk, runner: &mut Child, launch: &str) {
    let plan = desk.path(&format!("run/.unfinished-{launch}/plan.json"));
    while !plan.exists() {
        assert!(runner.try_wait().unwrap().is_none(), "the runner ended too early");
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(500));
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
        let reader = ObservationReader::open(&run.directory.join(&launch.file)).unwrap();
        assert_eq!(reader.rows(), 3 * 60);
        sampled(&run.directory, launch);
        for arm in &launch.arms {
            let hooked = arm.treatment != "unmodified";
            let receives = arm.coverage.as_ref().map(|coverage| coverage.payload_receives);
            assert_eq!((arm.requests_sent, receives), (60, hooked.then_some(60)));
            assert_eq!(arm.hook_mapped, hooked.then_some(true));
        }
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
fn a_pod_that_is_deleted_is_an_error_and_no_dataset() {
    let Some(namespace) = Namespace::new("deleted") else {
        return;
    };
    for part in ["arms", "loadgen"] {
        let desk = Desk::new();
        let mut runner = namespace.run(&desk, &long(), "kubernetes-nodes");
        let mut runner = runner.stderr(std::process::Stdio::piped()).spawn().unwrap();
        at_work(&desk, &mut runner, "kubernetes-nodes-0000");
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

/// Whatever happens in the second launch: it is said, the first launch is kept and the second one is not, no pod is left, and
/// the same command makes the run whole.
fn interrupted(test: &str, happens: impl FnOnce(&Namespace), is_over: impl FnOnce()) {
    let Some(namespace) = Namespace::new(test) else { return };
    let desk = Desk::new();
    let mut runner = namespace.run(&desk, &seconds(), "kubernetes-nodes");
    let mut runner = runner.stderr(std::process::Stdio::piped()).spawn().unwrap();
    at_work(&desk, &mut runner, "kubernetes-nodes-0001");
    happens(&namespace);
    let output = runner.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    is_over();
    assert!(!output.status.success() && said.contains("the same command goes on"), "{said}");
    println!("{test}: {}", said.lines().filter(|line| line.contains("annot")).collect::<Vec<_>>().join("; "));
    let kept = finished(&desk.path("run"));
    let of_launch = |number: &str| kept.iter().filter(|(name, _)| name.contains(number)).count();
    assert!(of_launch("-0000") > 0 && of_launch("-0001") == 0, "{kept:?}");
    assert!(!desk.path("run/manifest.json").exists());
    assert_eq!(namespace.pods(), "");
    success(&mut namespace.run(&desk, &seconds(), "kubernetes-nodes"));
    let run = Run::open(&desk.path("run")).unwrap();
    run.verify().unwrap();
    for launch in &run.manifest.launches {
        let reader = ObservationReader::open(&run.directory.join(&launch.file)).unwrap();
        assert_eq!(reader.rows(), 3 * 5_000);
    }
    let all = finished(&desk.path("run"));
    assert!(kept.iter().all(|file| all.contains(file)), "a finished launch was changed");
    assert_eq!(namespace.pods(), "");
}

#[test]
fn a_run_goes_on_after_a_lost_pod() {
    let delete = |namespace: &Namespace| {
        let of_arms = "hook-latency.part=arms";
        kubectl(&["delete", "pod", "--namespace", &namespace.name, "--selector", of_arms, "--wait=false"]);
    };
    interrupted("lost-pod", delete, || ());
}

/// A command line from the environment; none, and said so, where it is not set.
fn command(test: &str, variable: &str) -> Option<Vec<String>> {
    let Ok(line) = std::env::var(variable) else {
        println!("SKIPPED: kubernetes, {test}: {variable} names no command");
        return None;
    };
    Some(line.split_whitespace().map(str::to_owned).collect())
}

/// Runs it.
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
    // That of the arms: their pod's node is the last that anybody hears of.
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
        kubectl(&["wait", "--for=condition=Ready", "node", &node.borrow(), "--timeout=300s"]);
    });
}

#[test]
fn a_run_goes_on_after_a_restart_of_the_api_server() {
    let test = "restarted";
    let Some(restart) = command(test, "KUBE_RESTART_API") else { return };
    interrupted(test, |_| act(&restart, &[]), || ());
}

#[test]
fn a_signal_leaves_no_pod_and_what_a_kill_leaves_is_swept() {
    let Some(namespace) = Namespace::new("signal") else {
        return;
    };
    for signal in ["INT", "TERM", "KILL"] {
        let desk = Desk::new();
        let mut runner = namespace.run(&desk, &long(), "kubernetes-pod").spawn().unwrap();
        at_work(&desk, &mut runner, "kubernetes-pod-0000");
        let sent = Command::new("kill")
            .args(["-s", signal, &runner.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        assert!(!runner.wait().unwrap().success());
        if signal == "KILL" {
            assert_ne!(namespace.pods(), "");
            let mut down = Command::new(desk.path("bin/bench"));
            success(down.args(["cluster", "down", "kubernetes-pod", "--namespace", &namespace.name]));
        }
        assert_eq!(namespace.pods(), "", "{signal}");
    }
}

#[test]
fn an_image_that_is_not_there_is_said() {
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
