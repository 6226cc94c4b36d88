//! Launches on a real cluster, where `KUBECONFIG` names one and `KUBE_LOAD_WITH` is the command that loads an archive of
//! images into all of its nodes. Each test has a namespace of its own, and leaves no pod in it.

mod common;

use std::fs;
use std::io::Read as _;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use common::{Desk, SMALL, failure, finished, sampled, success};
use dataset::{ObservationReader, Run};
use serde_json::{Value, json};

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

/// So many rounds, each with work to do, that nobody waits for their end.
fn long() -> String {
    SMALL
        .replace("rounds = 60", "rounds = 1_000_000")
        .replace("work_ns = 0", "work_ns = 400_000")
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
        if runner.try_wait().unwrap().is_some() {
            let mut said = String::new();
            if let Some(mut errors) = runner.stderr.take() {
                errors.read_to_string(&mut said).unwrap();
            }
            panic!("the runner ended too early: {said}");
        }
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

/// Manifests and definition of three workloads, of which one does not take the hook; what runs in them is ours, so that no
/// registry is needed.
fn shop(image: &str) -> (String, Value) {
    let workload = |kind: &str, name: &str, command: &[&str]| {
        let container = json!({ "name": name, "image": image, "imagePullPolicy": "Never", "command": command });
        let pod = json!({ "containers": [container], "terminationGracePeriodSeconds": 1 });
        let labels = json!({ "app": name });
        let mut spec = json!({
            "replicas": 1, "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": pod },
        });
        if kind == "StatefulSet" {
            spec["serviceName"] = name.into();
        }
        json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name }, "spec": spec }).to_string()
    };
    let server = ["/bin/sut", "--listen", "0.0.0.0:8080"];
    let port = json!({ "port": 80, "targetPort": 8080, "nodePort": 30080 });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "elsewhere" },
        "spec": { "type": "NodePort", "selector": { "app": "web" }, "ports": [port] },
    });
    let manifests = [
        workload("Deployment", "web", &server),
        workload("StatefulSet", "store", &server),
        workload("Deployment", "gate", &["/bin/agent", "idle"]),
        service.to_string(),
    ];
    let maps = ["/bin/agent", "export", "/proc/1/maps"];
    let definition = json!({
        "name": "shop", "version": "1",
        "source": { "repository": "none", "revision": "0".repeat(40), "manifests": ["shop.yaml"] },
        "front": { "workload": "deployment/web", "port": 8080 },
        "request": { "method": "GET", "path": "/shop" },
        "workloads": [
            { "name": "deployment/web", "hook": true, "evidence": maps },
            { "name": "statefulset/store", "hook": true, "evidence": maps },
            { "name": "deployment/gate", "hook": false, "why": "it is to stay as it is" },
        ],
    });
    (manifests.join("\n---\n"), definition)
}

#[test]
fn an_application_is_deployed_hooked_measured_and_removed() {
    let Some(namespace) = Namespace::new("shop") else {
        return;
    };
    let desk = Desk::new();
    // The image's name comes from its content; bringing it in says it.
    let mut up = Command::new(desk.path("bin/bench"));
    up.args(["cluster", "up", "kubernetes-node", "--namespace", &namespace.name]);
    let output = up.args(["--load-with", &namespace.load_with]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let image = said.trim().rsplit(' ').next().unwrap();
    let (manifests, definition) = shop(image);
    fs::write(desk.path("shop.yaml"), manifests).unwrap();
    // Arms as applications take them: two without the hook.
    let text = SMALL
        .replace("treatment = \"delay\"\ndelay_ns = 1_000", "treatment = \"unmodified\"")
        .replace("launches = 2", "launches = 1");
    let measured = |definition: &Value| {
        fs::write(desk.path("definition.yaml"), definition.to_string()).unwrap();
        let mut command = namespace.run(&desk, &text, "kubernetes-nodes");
        command.arg("--macro").arg(desk.path("definition.yaml"));
        command.arg("--manifests").arg(desk.path("."));
        command
    };
    let left = || {
        kubectl(&[
            "get",
            "namespaces",
            "--selector",
            "hook-latency.run",
            "--output",
            "name",
        ])
    };
    // A workload that does not show the hook is refused, and nothing is left.
    let mut blind = definition.clone();
    blind["workloads"][1]["evidence"][2] = "/proc/1/limits".into();
    let said = failure(&mut measured(&blind));
    assert!(
        said.contains("statefulset/store") && said.contains("not in its memory map"),
        "{said}"
    );
    assert_eq!((left(), namespace.pods()), (String::new(), String::new()));
    fs::remove_dir_all(desk.path("run")).unwrap();

    success(&mut measured(&definition));
    assert_eq!((left(), namespace.pods()), (String::new(), String::new()));
    let run = Run::open(&desk.path("run")).unwrap();
    run.verify().unwrap();
    assert_eq!(run.manifest.plan["sut"]["workloads"][1]["name"], "statefulset/store");
    assert_eq!(run.manifest.plan["request"]["path"], "/shop");
    let launch = &run.manifest.launches[0];
    let mapped: Vec<_> = launch
        .arms
        .iter()
        .map(|arm| (&arm.arm[..], arm.hook_mapped, arm.requests_sent))
        .collect();
    assert_eq!(
        mapped,
        [("unmodified", None, 60), ("scan", Some(true), 60), ("delay", None, 60)]
    );
    let reader = ObservationReader::open(&run.directory.join(&launch.file)).unwrap();
    assert_eq!(reader.rows(), 3 * 60);
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
