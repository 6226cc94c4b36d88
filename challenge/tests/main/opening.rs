//! The seal: the outcome, a stopped challenge that goes on, and changed files.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use challenge::{DELAYS, DelayShare, SealedDelay};
use serde::Deserialize;

use crate::room::Room;

/// As much of `outcome.json` as the tests read.
#[derive(Deserialize)]
struct Outcome {
    trials: usize,
    examinees: Vec<ExamineeCounts>,
}

#[derive(Deserialize)]
struct ExamineeCounts {
    of_mean: bool,
    covered: Counts,
    by_delay: Vec<DelayCounts>,
}

#[derive(Deserialize)]
struct DelayCounts {
    truth_ns: f64,
    found: Counts,
}

#[derive(Deserialize)]
struct Counts {
    trials: u64,
}

const LONG: [DelayShare; 1] = [DelayShare {
    delay: SealedDelay::of_all(50_000),
    weight: 1,
}];

fn open(folder: &Path) -> assert_cmd::assert::Assert {
    let mut command = Command::new(env!("CARGO_BIN_EXE_challenge"));
    command.arg("open").arg(folder).assert()
}

/// The error of opening the challenge after a change of one file. The file is restored.
fn changed(folder: &Path, name: &str, change: impl Fn(&str) -> String) -> String {
    let file = folder.join(name);
    let text = fs::read_to_string(&file).unwrap();
    let other = change(&text);
    assert_ne!(other, text, "{name}");
    fs::write(&file, other).unwrap();
    let failed = open(folder).failure();
    fs::write(&file, text).unwrap();
    String::from_utf8_lossy(&failed.get_output().stderr).into_owned()
}

#[test]
fn a_finished_challenge_opens_and_every_later_change_of_a_file_is_an_error() {
    let room = Room::new();
    let folder = room.examined(1, &LONG, &room.instrument());
    let text = String::from_utf8(open(&folder).success().get_output().stdout.clone()).unwrap();
    assert!(
        text.contains("1 of 1") && text.contains("not judged; they need 200 trials"),
        "{text}"
    );
    let outcome: Outcome = serde_json::from_str(&fs::read_to_string(folder.join("outcome.json")).unwrap()).unwrap();
    assert_eq!((outcome.trials, outcome.examinees.len()), (1, 4));
    for examinee in &outcome.examinees {
        let [delay] = &examinee.by_delay[..] else {
            panic!("{text}")
        };
        // The busy wait ends late and not early. Pauses of a busy machine change the mean by any time.
        assert!(examinee.of_mean || delay.truth_ns > 49_000.0, "{text}");
        assert_eq!(delay.found.trials, 1);
        assert_eq!(examinee.covered.trials, 1);
    }
    for figure in ["power", "coverage"] {
        let svg = fs::read_to_string(folder.join(format!("figures/challenge-{figure}.svg"))).unwrap();
        assert!(svg.contains("50 µs"), "{svg}");
    }
    for (name, from, to, error) in [
        (
            "sealed/sealed.json",
            "50000",
            "60000",
            "the list was changed after it was sealed",
        ),
        (
            "trials/000/answer.json",
            "total_ns",
            "total",
            "the file was changed after the trial",
        ),
        (
            "sealed/truth-000.json",
            "mean_ns\": ",
            "mean_ns\": 1",
            "the file was changed after the trial",
        ),
        (
            "trials/000/run/manifest.json",
            "local-pod",
            "docker",
            "the file was changed after the trial",
        ),
        (
            "files.sha256",
            "trials/000/answer.json",
            "trials/000/other.json",
            "1 of 1 trials are not finished",
        ),
        ("seal.sha256", "  ", " ", "expected `SHA-256  FILE`"),
    ] {
        let found = changed(&folder, name, |text| text.replacen(from, to, 1));
        assert!(found.contains(error), "{name}: {found}");
    }
    open(&folder).success();
    fs::remove_file(folder.join("trials/000/answer.json")).unwrap();
    let failed = open(&folder).failure();
    assert!(String::from_utf8_lossy(&failed.get_output().stderr).contains("cannot read"));
}

#[test]
fn a_stopped_challenge_goes_on_with_the_sealed_list_and_keeps_finished_trials() {
    let room = Room::new();
    let mut instrument = room.instrument();
    let folder = room.path("challenge");
    let hash = challenge::begin(&folder, 2, &DELAYS).unwrap();
    let list = fs::read(folder.join("sealed/sealed.json")).unwrap();
    assert!(
        fs::read_to_string(folder.join("seal.sha256"))
            .unwrap()
            .starts_with(&hash)
    );
    let error = challenge::open(&folder).unwrap_err().to_string();
    assert!(error.contains("2 of 2 trials are not finished"), "{error}");
    // The first trial fails, because the runner is not there.
    instrument.binaries = room.path("no-programs");
    assert!(challenge::examine(&folder, &instrument, None).is_err());
    instrument = room.instrument();
    fs::write(folder.join("trials/000/left-over"), "of the trial that failed").unwrap();
    challenge::examine(&folder, &instrument, None).unwrap();
    assert!(!folder.join("trials/000/left-over").exists());
    let answer = fs::metadata(folder.join("trials/000/answer.json"))
        .unwrap()
        .modified()
        .unwrap();
    // Asked again, with another number of trials: the list stays, and nothing is measured twice.
    assert_eq!(challenge::begin(&folder, 7, &DELAYS).unwrap(), hash);
    challenge::examine(&folder, &instrument, None).unwrap();
    assert_eq!(fs::read(folder.join("sealed/sealed.json")).unwrap(), list);
    assert_eq!(
        fs::metadata(folder.join("trials/000/answer.json"))
            .unwrap()
            .modified()
            .unwrap(),
        answer
    );
    open(&folder).success();
}
