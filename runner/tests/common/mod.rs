//! Helpers of the runner's tests: a small experiment, a folder for it, and the command lines of a user.

pub(crate) mod engine;
pub(crate) mod namespace;
pub(crate) mod programs;

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use dataset::Run;
use model::{LaunchRecord, Measure, ResourceSample, ResourceSubject};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// A definition with all parts of a launch, three arms and few rounds.
pub(crate) const SMALL: &str = include_str!("small.toml");

/// Returns the definition with one launch for each condition.
pub(crate) fn once() -> String {
    SMALL.replace("launches = 2", "launches = 1")
}

/// Returns the path of a file of the project.
pub(crate) fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Returns a definition in which a server of `sut/macro` replaces the synthetic server.
pub(crate) fn with_server(text: &str, name: &str) -> String {
    let server = file(&format!("sut/macro/{name}.toml"));
    let own = &text[text.find("program = \"synthetic\"").unwrap()..];
    let own = &own[..own.find("threads = 1\n").unwrap() + "threads = 1\n".len()];
    text.replacen(own, &format!("program = \"file\"\nfile = {server:?}\n"), 1)
}

/// A folder with the project's programs, definitions and runs. Every user can read and write it.
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
        let built = Path::new(env!("CARGO_BIN_EXE_runner")).parent().unwrap();
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

    /// Returns the command of the runner. An environment variable marks all its descendants.
    pub(crate) fn runner(&self) -> Command {
        let mut command = Command::new(self.path("bin/runner"));
        command.env("RUN_MARK", self.directory.path()).stdin(Stdio::null());
        command
    }

    /// Writes a definition and returns the command `runner run experiment.toml --out run`.
    pub(crate) fn run(&self, text: &str) -> Command {
        let definition = self.definition(text);
        let mut command = self.runner();
        command.arg("run").arg(definition).arg("--out").arg(self.path("run"));
        command
    }

    /// Returns the command lines of the running processes that descend from a runner of this folder.
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

    /// Returns the run and its only launch. Checks the checksums, and that no process is left.
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

/// Waits until `done` returns true, at most five minutes.
pub(crate) fn wait_until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(300), "waited in vain");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a signal.
pub(crate) fn signal(process: &Child, signal: Signal) {
    kill(Pid::from_raw(process.id().try_into().unwrap()), signal).unwrap();
}

/// Waits until `done` returns true. Panics with the standard error of the runner if the runner ends before.
pub(crate) fn wait_for(runner: &mut Child, mut done: impl FnMut() -> bool) {
    wait_until(|| {
        if runner.try_wait().unwrap().is_some() {
            let mut said = String::new();
            if let Some(errors) = &mut runner.stderr {
                errors.read_to_string(&mut said).unwrap();
            }
            panic!("the runner ended too early: {said}");
        }
        done()
    });
}

/// Returns the entry of a condition in the output of `runner places`.
pub(crate) fn place(desk: &Desk, condition: &str, options: &[&str]) -> serde_json::Value {
    let mut command = Command::new(desk.path("bin/runner"));
    let output = command.arg("places").args(options).output().unwrap();
    let places: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    places.into_iter().find(|place| place["name"] == condition).unwrap()
}

/// Returns true if this machine has network namespaces for a launch.
pub(crate) fn has_namespaces(desk: &Desk) -> bool {
    place(desk, "local-bridge", &[])["available"] == true
}

/// Returns the standard error of a command that fails. Panics if it succeeds.
pub(crate) fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "expected a failure");
    String::from_utf8(output.stderr).unwrap()
}

/// Runs a command. Panics with its standard error if it fails.
pub(crate) fn success(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Checks that each arm was sent 60 requests, and that the hook of each hooked arm was mapped and received each request: once,
/// or at least once if the server decides how often it reads.
pub(crate) fn received(launch: &LaunchRecord, once: bool) {
    for arm in &launch.arms {
        let hooked = arm.treatment != "unmodified";
        assert_eq!((arm.requests_sent, arm.hook_mapped), (60, hooked.then_some(true)));
        let receives = arm.coverage.as_ref().map(|coverage| coverage.payload_receives);
        assert_eq!(receives.is_some(), hooked, "{}: {receives:?}", arm.arm);
        let expected = if once { 60..=60 } else { 60..=u64::MAX };
        assert!(
            receives.is_none_or(|receives| expected.contains(&receives)),
            "{receives:?}"
        );
    }
}

/// Reads the samples of resources of a launch.
pub(crate) fn samples(run: &Run, launch: &LaunchRecord) -> Vec<ResourceSample> {
    dataset::read_resources(&run.directory.join(launch.files.resources.as_ref().unwrap())).unwrap()
}

/// Checks that every arm, the load generator and the machine were sampled at the beginning and at the end, with the counts of
/// their control groups.
pub(crate) fn sampled(run: &Run, launch: &LaunchRecord) {
    let monitor = launch.monitor.as_ref().expect("it was watched");
    let samples = samples(run, launch);
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

/// Returns the folders of a run's launches, finished or not.
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

/// Returns the texts of a launch's warnings.
pub(crate) fn warnings(launch: &LaunchRecord) -> Vec<String> {
    launch.warnings().iter().map(ToString::to_string).collect()
}

/// Returns the names and SHA-256 of the files of all finished launches.
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
