//! Recordings of a registered plan that a user starts, stops, kills and resumes, in a repository of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dataset::Run;
use model::{LedgerEntry, LedgerEvent, Manifest, RecordingEnd};
use nix::sys::signal::Signal;

use crate::common::{Desk, SMALL, failure, finished, launch_folders, signal, success, wait_for, wait_until};

/// A repository with a definition and a plan of two runs of it.
struct Repository {
    desk: Desk,
    folder: PathBuf,
}

impl Repository {
    /// Makes the repository and commits the definition and the plan. `lengths` are launches and rounds.
    fn new(lengths: (u32, u64)) -> Self {
        let desk = Desk::new();
        let folder = desk.path("repository");
        fs::create_dir_all(folder.join("experiments")).unwrap();
        let repository = Self { desk, folder };
        repository.git(&["init", "--quiet"]);
        repository.define(lengths);
        let plan = plan(
            &dataset::sha256(&repository.path("experiments/small.toml")).unwrap(),
            lengths,
        );
        repository.write("experiments/plan.toml", &plan);
        repository.commit();
        repository
    }

    fn define(&self, (launches, rounds): (u32, u64)) {
        let text = SMALL
            .replace("launches = 2", &format!("launches = {launches}"))
            .replace("rounds = 60", &format!("rounds = {rounds}"));
        self.write("experiments/small.toml", &text);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        let author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
        command.args(author).args(arguments).current_dir(&self.folder);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "a change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn record(&self, options: &[&str]) -> Command {
        let mut command = self.desk.runner();
        command.arg("record").args(options).current_dir(&self.folder);
        command
    }

    /// Returns the folder of a run of this machine.
    fn run(&self, name: &str) -> PathBuf {
        self.path("data/reference")
            .join(dataset::this_machine().id())
            .join(name)
    }

    fn manifest(&self, name: &str) -> Manifest {
        let run = Run::open(&self.run(name)).unwrap();
        run.verify().unwrap();
        run.manifest
    }

    /// Returns the lines of the ledger, as the run and the event.
    fn ledger(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.path("data/reference/ledger.jsonl")).unwrap_or_default();
        let entries = LedgerEntry::parse_all(&text).unwrap();
        for entry in &entries {
            assert_eq!(entry.machine, dataset::this_machine().id());
            assert_eq!(entry.plan_sha256, self.plan_sha256());
        }
        entries
            .iter()
            .map(|entry| (entry.run.clone(), shown(&entry.event)))
            .collect()
    }

    fn plan_sha256(&self) -> String {
        dataset::sha256(&self.path("experiments/plan.toml")).unwrap()
    }

    /// Starts a recording of the run `first` and waits until it is in a launch after the first.
    fn begun(&self) -> std::process::Child {
        let mut runner = self.record(&["--only", "first"]).spawn().unwrap();
        wait_for(&mut runner, || {
            self.run("first").join("local-pod/0000/launch.json").exists()
        });
        wait_for(&mut runner, || {
            let mut launches = launch_folders(&self.run("first")).into_iter();
            launches.any(|launch| launch.join("plan.json").exists())
        });
        runner
    }
}

fn shown(event: &LedgerEvent) -> String {
    match event {
        LedgerEvent::Begin => "begin".to_owned(),
        LedgerEvent::Resume => "resume".to_owned(),
        LedgerEvent::End { how, reason, .. } => {
            assert_eq!(reason.is_none(), *how == RecordingEnd::Complete);
            how.to_string()
        }
    }
}

fn lines(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = expected
        .iter()
        .map(|(run, event)| ((*run).to_owned(), (*event).to_owned()));
    owned.collect()
}

/// A plan of two runs of the small definition, without claims.
fn plan(sha256: &str, (launches, rounds): (u32, u64)) -> String {
    let budget = "local_min = 30\nengines_min = 1\nchallenge_min = 1\napplications_min = 1";
    let mut text = format!("# Two runs.\nversion = 1\n\n[budget]\n{budget}\n\n[files]\n");
    for name in ["first", "second"] {
        text += &format!(
            "\n[[run]]\nname = \"{name}\"\npart = \"local\"\ndefinition = \"experiments/small.toml\"\nsha256 = \"{sha256}\"\n\
             conditions = [\"local-pod\"]\nlaunches = {launches}\nrounds = {rounds}\nwarm_up_rounds = 10\nsegment_rounds = 10\n"
        );
    }
    text
}

#[test]
fn a_recording_is_the_plan_and_names_plan_commit_and_machine() {
    let repository = Repository::new((2, 60));
    let commit = repository.git(&["rev-parse", "HEAD"]);
    success(&mut repository.record(&[]));
    for name in ["first", "second"] {
        let manifest = repository.manifest(name);
        assert_eq!(manifest.plan_sha256, Some(repository.plan_sha256()));
        let revision = manifest.revision.unwrap();
        assert_eq!((revision.commit.as_str(), revision.tree_clean), (commit.as_str(), true));
        assert_eq!(manifest.machine, dataset::this_machine());
        // The plan's conditions and not the definition's.
        let conditions: Vec<&str> = manifest
            .launches
            .iter()
            .map(|launch| launch.condition.as_str())
            .collect();
        assert_eq!(conditions, ["local-pod"; 2]);
        assert_eq!(manifest.run_id, name);
    }
    let complete = [
        ("first", "begin"),
        ("first", "complete"),
        ("second", "begin"),
        ("second", "complete"),
    ];
    assert_eq!(repository.ledger(), lines(&complete));

    // A second call records nothing, also after the recordings are committed.
    repository.commit();
    let before = finished(&repository.run("first"));
    success(&mut repository.record(&[]));
    assert_eq!(repository.ledger(), lines(&complete));
    assert_eq!(finished(&repository.run("first")), before);

    // A run of the user's own never has the hash, and cannot continue a recording.
    let mut own = repository.desk.runner();
    own.arg("run").arg(repository.path("experiments/small.toml"));
    own.args(["--conditions", "local-pod", "--out"])
        .current_dir(&repository.folder);
    let error = failure(own.arg(repository.run("first")));
    assert!(error.contains("holds a recording by the registered plan"), "{error}");
    own = repository.desk.run(SMALL);
    success(own.args(["--conditions", "local-pod"]).current_dir(&repository.folder));
    assert_eq!(
        Run::open(&repository.desk.path("run")).unwrap().manifest.plan_sha256,
        None
    );
}

#[test]
fn a_killed_recording_goes_on_and_the_ledger_says_that_it_was_killed() {
    let repository = Repository::new((3, 3_000));
    let mut runner = repository.begun();
    runner.kill().unwrap();
    runner.wait().unwrap();
    wait_until(|| repository.desk.processes().is_empty());
    assert_eq!(repository.ledger(), lines(&[("first", "begin")]));
    let before = finished(&repository.run("first"));
    assert!(!before.is_empty());

    // A commit of the recordings alone does not end the recording.
    let commit = repository.commit();
    success(&mut repository.record(&["--only", "first"]));
    let resumed = [
        ("first", "begin"),
        ("first", "killed"),
        ("first", "resume"),
        ("first", "complete"),
    ];
    assert_eq!(repository.ledger(), lines(&resumed));
    let after = finished(&repository.run("first"));
    for file in &before {
        assert!(after.contains(file), "{} was written again", file.0);
    }
    let manifest = repository.manifest("first");
    assert_eq!(
        (manifest.launches.len(), manifest.revision.unwrap().commit),
        (3, commit)
    );
}

#[test]
fn an_interrupted_recording_ends_in_the_ledger_and_goes_on() {
    let repository = Repository::new((3, 3_000));
    let mut runner = repository.begun();
    signal(&runner, Signal::SIGTERM);
    assert!(!runner.wait().unwrap().success());
    wait_until(|| repository.desk.processes().is_empty());
    assert_eq!(
        repository.ledger(),
        lines(&[("first", "begin"), ("first", "interrupted")])
    );

    // Another commit than the recording's: both are named.
    let began = repository.git(&["rev-parse", "HEAD"]);
    repository.write("README.md", "changed");
    let now = repository.commit();
    let error = failure(&mut repository.record(&["--only", "first"]));
    assert!(
        error.contains(&began) && error.contains(&now) && error.contains("README.md"),
        "{error}"
    );
    repository.git(&["rm", "--quiet", "README.md"]);
    repository.commit();
    success(&mut repository.record(&["--only", "first"]));
    let events: Vec<String> = repository.ledger().into_iter().map(|(_, event)| event).collect();
    assert_eq!(events, ["begin", "interrupted", "resume", "complete"]);
}

#[test]
fn a_tree_with_changes_is_refused_and_names_them() {
    let repository = Repository::new((2, 60));
    repository.write("notes.txt", "not committed");
    let error = failure(&mut repository.record(&[]));
    assert!(
        error.contains("differs from commit") && error.contains("notes.txt"),
        "{error}"
    );
    fs::remove_file(repository.path("notes.txt")).unwrap();
    // The folder of another machine or of a run that the plan does not have is no recording of this plan.
    let foreign = repository.run("third");
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("manifest.json"), "{}").unwrap();
    let error = failure(&mut repository.record(&[]));
    assert!(error.contains("third/manifest.json"), "{error}");
    fs::remove_dir_all(foreign).unwrap();
    // A plan that no commit has.
    let plan = repository.desk.path("plan.toml");
    fs::copy(repository.path("experiments/plan.toml"), &plan).unwrap();
    let error = failure(&mut repository.record(&["--plan", plan.to_str().unwrap()]));
    assert!(error.contains("is in no commit"), "{error}");
    assert_eq!(repository.ledger(), []);
}

#[test]
fn a_changed_definition_is_refused_with_both_values_and_refresh_adopts_it() {
    let repository = Repository::new((2, 60));
    let (old, old_plan) = (
        dataset::sha256(&repository.path("experiments/small.toml")).unwrap(),
        repository.plan_sha256(),
    );
    repository.define((4, 60));
    repository.commit();
    let new = dataset::sha256(&repository.path("experiments/small.toml")).unwrap();
    let error = failure(&mut repository.record(&[]));
    for expected in [
        &*format!("experiments/small.toml: the plan has SHA-256 {old}, the file {new}"),
        "first: launches: the plan has 2, the definition 4",
        "cargo xtask record --refresh",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let output = repository.record(&["--refresh"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("second: launches: 2 becomes 4"),
        "{said}"
    );
    assert!(
        said.contains(&old_plan) && said.contains(&repository.plan_sha256()),
        "{said}"
    );
    assert!(
        said.contains("Recordings by the old plan are now exploratory"),
        "{said}"
    );
    assert!(repository.read("experiments/plan.toml").starts_with("# Two runs.\n"));
    // Not before it is committed.
    let error = failure(&mut repository.record(&["--only", "first"]));
    assert!(error.contains("experiments/plan.toml"), "{error}");
    repository.commit();
    success(&mut repository.record(&["--only", "first"]));
    assert_eq!(repository.manifest("first").launches.len(), 4);
}

#[test]
fn the_recording_of_another_machine_or_plan_is_refused_and_both_are_named() {
    let repository = Repository::new((2, 60));
    success(&mut repository.record(&["--only", "first"]));
    let path = repository.run("first").join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    let here = dataset::this_machine();
    let mut other = here.clone();
    other.processors = 96;
    let [from, to] = [here.processors, other.processors].map(|count| format!("\"processors\": {count}"));
    fs::write(&path, manifest.replace(&from, &to)).unwrap();
    let error = failure(&mut repository.record(&[]));
    assert!(error.contains(&here.id()) && error.contains(&other.id()), "{error}");
    fs::write(&path, &manifest).unwrap();

    let old = repository.plan_sha256();
    let plan = repository.read("experiments/plan.toml");
    repository.write("experiments/plan.toml", &(plan + "# Changed.\n"));
    repository.commit();
    let error = failure(&mut repository.record(&["--only", "first"]));
    assert!(
        error.contains(&old) && error.contains(&repository.plan_sha256()),
        "{error}"
    );
    // A recording without its line in the ledger.
    fs::rename(repository.run("first"), repository.run("second")).unwrap();
    repository.write(
        "experiments/plan.toml",
        &repository.read("experiments/plan.toml").replace("# Changed.\n", ""),
    );
    repository.commit();
    let error = failure(&mut repository.record(&["--only", "second"]));
    assert!(error.contains("ledger.jsonl has no line"), "{error}");
}

#[test]
fn a_dry_run_measures_records_nothing_and_refuses_a_plan_above_its_budget() {
    let repository = Repository::new((200, 60));
    let output = repository.record(&["--dry-run"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let row = said.lines().find(|line| line.starts_with("second ")).unwrap();
    assert!(row.contains("local-pod") && row.contains(" 200 "), "{said}");
    assert!(said.contains("local: ") && said.contains(" of 30 min"), "{said}");
    assert!(!repository.path("data").exists());

    let plan = repository.read("experiments/plan.toml");
    repository.write(
        "experiments/plan.toml",
        &plan.replace("local_min = 30", "local_min = 0.1"),
    );
    let error = failure(&mut repository.record(&["--dry-run"]));
    assert!(error.contains("the plan's budget is 0.1 min"), "{error}");
    repository.commit();
    let error = failure(&mut repository.record(&[]));
    assert!(error.contains("the plan's budget is 0.1 min"), "{error}");
    assert_eq!(repository.ledger(), []);
    assert!(!Path::new(&repository.path("data")).exists());
}
