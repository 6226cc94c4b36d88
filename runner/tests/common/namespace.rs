//! A real cluster for a test. `KUBECONFIG` names it, and `KUBE_LOAD_WITH` is the command that loads an archive of images into
//! all its nodes.

use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Desk, wait_for};

/// Held by the running test: a small cluster has no room for the pods of two tests.
static CLUSTER: Mutex<()> = Mutex::new(());

/// A namespace on the cluster. It is deleted at the end of the test.
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) load_with: String,
    _alone: MutexGuard<'static, ()>,
}

/// Returns the standard output of kubectl. Panics if kubectl fails.
pub(crate) fn kubectl(words: &[&str]) -> String {
    let output = Command::new("kubectl").args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {words:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

impl Namespace {
    /// Creates a namespace. Prints that the test is skipped and returns none without a cluster.
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

    /// Returns the command `runner run` in this namespace.
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

    /// Returns the names of all pods.
    pub(crate) fn pods(&self) -> String {
        kubectl(&["get", "pods", "--namespace", &self.name, "--output", "name"])
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

/// Waits until the load generator of a launch works.
pub(crate) fn at_work(desk: &Desk, runner: &mut Child, launch: &str) {
    let plan = desk.path(&format!("run/{launch}.unfinished/plan.json"));
    wait_for(runner, || plan.exists());
    thread::sleep(Duration::from_millis(500));
}
