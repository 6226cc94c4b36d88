//! A real cluster for a test, where `KUBECONFIG` names one and `KUBE_LOAD_WITH` is the command that loads an archive of images
//! into all of its nodes.

use std::io::Read as _;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::Desk;

/// One at a time: a small cluster has no room for more.
static CLUSTER: Mutex<()> = Mutex::new(());

/// A namespace on the cluster that `KUBECONFIG` names, which goes with the test.
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) load_with: String,
    _alone: MutexGuard<'static, ()>,
}

/// What kubectl prints; panics when it fails.
pub(crate) fn kubectl(words: &[&str]) -> String {
    let output = Command::new("kubectl").args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {words:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

impl Namespace {
    /// None where there is no cluster, which is said.
    pub(crate) fn new(test: &str) -> Option<Self> {
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

    /// `runner run` in this namespace.
    pub(crate) fn run(&self, desk: &Desk, text: &str, conditions: &str) -> Command {
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

    /// Names of whatever pods there are.
    pub(crate) fn pods(&self) -> String {
        kubectl(&["get", "pods", "--namespace", &self.name, "--output", "name"])
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

/// Waits until the load generator of a launch sends requests.
pub(crate) fn at_work(desk: &Desk, runner: &mut Child, launch: &str) {
    let plan = desk.path(&format!("run/{launch}.unfinished/plan.json"));
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
