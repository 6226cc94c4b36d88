//! What the tests of the runner share: a small experiment, a place for it, and the runner as a user starts it.

pub(crate) mod engine;
pub(crate) mod namespace;
pub(crate) mod programs;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use dataset::Run;
use model::{LaunchRecord, Measure, ResourceSubject};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Three arms, short: everything that a launch has, and no time to wait for.
pub(crate) const SMALL: &str = r#"
name = "small"
question = "Does it run?"
conditions = ["local-pod", "local-bridge"]
launches = 2
seed = 7

[load]
schedule = "interleaved"
rounds = 60
warm_up_rounds = 10
segment_rounds = 10
wait = "sleep"
timeout_ms = 2_000
max_error_share = 0.0

[request]
method = "GET"
path = "/"
headers = []
body = ""

[sut]
program = "synthetic"
accept = "accept"
receive = "read"
reads_per_request = 1
response_bytes = 16
work_ns = 0
threads = 1

[[arm]]
name = "unmodified"
treatment = "unmodified"

[[arm]]
name = "scan"
treatment = "scan"

[[arm]]
name = "delay"
treatment = "delay"
delay_ns = 1_000

[[contrast]]
name = "searching"
baseline = "unmodified"
arm = "scan"
role = "effect"
"#;

/// A file of the project's.
pub(crate) fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A definition with a server of `sut/macro` in the place of its own; more that is between the two is kept.
pub(crate) fn with_server(text: &str, name: &str) -> String {
    let server = file(&format!("sut/macro/{name}.toml"));
    let own = &text[text.find("program = \"synthetic\"").unwrap()..];
    let own = &own[..own.find("threads = 1\n").unwrap() + "threads = 1\n".len()];
    text.replacen(own, &format!("program = \"file\"\nfile = {server:?}\n"), 1)
}

/// A folder with the programs in it, readable for every user, and room for definitions and runs.
pub(crate) struct Desk {
    directory: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let desk = Self { directory };
        for folder in ["bin", "hook"] {
            fs::create_dir(desk.path(folder)).unwrap();
        }
        for folder in ["", "bin", "hook"] {
            fs::set_permissions(desk.path(folder), fs::Permissions::from_mode(0o777)).unwrap();
        }
        let runner = assert_cmd::cargo::cargo_bin!("runner");
        let built = runner.parent().unwrap();
        for name in ["runner", "agent", "sut", "loadgen", "../hook/libreadhook.so"] {
            let from = built.join(name);
            assert!(from.exists(), "{} is not there: cargo xtask build", from.display());
            fs::copy(&from, desk.path("bin").join(name)).unwrap();
        }
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a definition.
    pub(crate) fn definition(&self, text: &str) -> PathBuf {
        let path = self.path("experiment.toml");
        fs::write(&path, text).unwrap();
        path
    }

    /// The runner, with a mark by which every process that descends from it is found.
    pub(crate) fn runner(&self) -> Command {
        let mut command = Command::new(self.path("bin/runner"));
        command.env("RUN_MARK", self.directory.path()).stdin(Stdio::null());
        command
    }

    /// `runner run experiment.toml --out run`, with `text` in the file.
    pub(crate) fn run(&self, text: &str) -> Command {
        let definition = self.definition(text);
        let mut command = self.runner();
        command.arg("run").arg(definition).arg("--out").arg(self.path("run"));
        command
    }

    /// Processes that descend from a runner of this desk.
    pub(crate) fn processes(&self) -> Vec<String> {
        let mark = format!("RUN_MARK={}", self.directory.path().display());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            if environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == mark.as_bytes())
            {
                let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                found.push(String::from_utf8_lossy(&command).replace('\0', " "));
            }
        }
        found
    }

    /// The only launch of the run, which is as its checksums say and left no process behind.
    pub(crate) fn only_launch(&self) -> (Run, LaunchRecord) {
        assert_eq!(self.processes(), [""; 0]);
        let run = Run::open(&self.path("run")).unwrap();
        run.verify().unwrap();
        let [launch] = run.manifest.launches.as_slice() else {
            panic!("expected one launch");
        };
        let launch = launch.clone();
        (run, launch)
    }
}

/// Waits as long as a slow machine may need: only a failure takes all of it.
pub(crate) fn wait_until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(120), "waited in vain");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a signal.
pub(crate) fn signal(process: &Child, signal: Signal) {
    kill(Pid::from_raw(process.id().try_into().unwrap()), signal).unwrap();
}

/// Whether this machine has network namespaces for a launch.
pub(crate) fn has_namespaces(desk: &Desk) -> bool {
    let output = Command::new(desk.path("bin/runner")).arg("places").output().unwrap();
    let places: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut places = places.as_array().unwrap().iter();
    places.find(|place| place["name"] == "local-bridge").unwrap()["available"] == true
}

/// What a command says when it fails; panics when it succeeds.
pub(crate) fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "expected a failure");
    String::from_utf8(output.stderr).unwrap()
}

/// Panics with what it said when a command fails.
pub(crate) fn success(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Checks that every arm, the load generator and the machine have samples from the beginning and the end, with the counts of
/// their control groups.
pub(crate) fn sampled(run: &Path, launch: &LaunchRecord) {
    let monitor = launch.monitor.as_ref().expect("it was watched");
    let samples = dataset::read_resources(&run.join(launch.files.resources.as_ref().unwrap())).unwrap();
    let of = |subject: &ResourceSubject| {
        samples
            .iter()
            .filter(|sample| sample.subject == *subject)
            .collect::<Vec<_>>()
    };
    let arms = launch.arms.iter().map(|arm| ResourceSubject::Arm(arm.arm.clone()));
    for subject in arms.chain([ResourceSubject::Loadgen]) {
        let samples = of(&subject);
        assert!(samples.len() >= 2, "{subject:?}");
        for measure in [
            Measure::MemoryBytes,
            Measure::Periods,
            Measure::ThrottledPeriods,
            Measure::OomKills,
        ] {
            let there = samples.iter().all(|sample| sample.usage[measure].is_some());
            assert!(there, "{subject:?}: {measure:?}: {:?}", monitor.missing);
        }
        if subject != ResourceSubject::Loadgen {
            assert!(
                samples.iter().all(|sample| sample.usage[Measure::Threads].is_some()),
                "{subject:?}"
            );
        }
    }
    assert!(
        samples
            .iter()
            .any(|sample| matches!(sample.subject, ResourceSubject::Node(_)))
    );
    assert!(monitor.missing.iter().all(|missing| !missing.reason.is_empty()));
}

/// The folders of a run's launches, finished or not.
pub(crate) fn launch_folders(run: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect::<Vec<_>>()
    };
    list(run).iter().flat_map(|condition| list(condition)).collect()
}

/// The texts of a launch's warnings.
pub(crate) fn warnings(launch: &LaunchRecord) -> Vec<String> {
    launch.warnings().iter().map(ToString::to_string).collect()
}

/// SHA-256 of each finished launch's files, by name.
pub(crate) fn finished(run: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for launch in launch_folders(run) {
        if launch.extension().is_some() {
            continue;
        }
        for entry in fs::read_dir(&launch).unwrap().flatten() {
            let name = entry.path().strip_prefix(run).unwrap().display().to_string();
            files.push((name, dataset::sha256(&entry.path()).unwrap()));
        }
    }
    files.sort();
    files
}
