//! `report calibration` on runs whose delays are known.

use serde_json::{Value, json};

use crate::made_up_run::{ARMS, Arm, LAUNCHES, write};
use crate::program::{failure, output, report};

fn calibrated(arms: &[Arm], repetition: u32) -> Value {
    calibrated_with_text(arms, repetition).0
}

fn calibrated_with_text(arms: &[Arm], repetition: u32) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let (run, out) = (folder.path().join("run"), folder.path().join("out"));
    write(&run, arms, true);
    let repetition = repetition.to_string();
    let mut command = report();
    command
        .args(["calibration", "--repetition", &repetition, "--run"])
        .arg(&run)
        .arg("--out")
        .arg(&out);
    let text = output(&mut command);
    let json: Value = serde_json::from_slice(&std::fs::read(out.join("calibration.json")).unwrap()).unwrap();
    let held = json[0]["repeated"].as_array().unwrap().len();
    assert_eq!(text.matches("repetitions of").count(), held, "{text}");
    (json[0].clone(), text)
}

#[test]
fn the_error_and_the_repetitions_that_hold_the_truth_are_found() {
    let found = calibrated(&ARMS, 2);
    let recovered = &found["recovered"][0];
    for quantity in ["wire_error", "rtt_error"] {
        assert!(
            (recovered[quantity]["value"].as_f64().unwrap() - 20.0).abs() < 1e-6,
            "{found:#}"
        );
    }
    assert_eq!(recovered["truth_ns"], 5_000.0);
    // Launches differ by 20 ns from one to the next, so that an interval from two is wide enough for an error of 20.
    for (row, name) in found["repeated"].as_array().unwrap().iter().zip(["A/A", "calibration"]) {
        let repetitions = LAUNCHES / 2;
        assert_eq!(
            (&row["name"], &row["covered"]["trials"]),
            (&json!(name), &json!(repetitions))
        );
        assert_eq!(row["covered"]["successes"], repetitions);
        assert!((row["p_value"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    }

    let mut wrong = ARMS;
    wrong[4].wire_ns += 1_000;
    let (found, text) = calibrated_with_text(&wrong, 2);
    let missed = text
        .lines()
        .find(|line| line.contains("beyond the target"))
        .expect("a missed target");
    for part in ["wire time and RTT", "send path", "wire and server", "wake-up"] {
        assert!(missed.contains(part), "{missed}");
    }
    let (_, met) = calibrated_with_text(&ARMS, 2);
    assert!(!met.contains("beyond the target"), "{met}");
    assert_eq!(found["repeated"][1]["covered"]["successes"], 0);
    assert!(found["repeated"][1]["p_value"].as_f64().unwrap() < 1e-5);
    assert_eq!(found["repeated"][0]["covered"]["successes"], LAUNCHES / 2);
    // One repetition says nothing of how often.
    assert_eq!(calibrated(&ARMS, LAUNCHES)["repeated"], json!([]));
}

#[test]
fn a_run_without_known_delays_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &ARMS, true);
    let manifest = folder.path().join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"calibration\"", "\"effect\"")).unwrap();
    let error = failure(
        report()
            .args(["calibration", "--out", "out", "--run"])
            .arg(folder.path()),
    );
    assert!(error.contains("experiments/calibration.toml"), "{error}");
}
