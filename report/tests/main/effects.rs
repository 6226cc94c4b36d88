//! `report effects` on runs whose effects are known.

use std::path::Path;

use model::MANIFEST_VERSION;
use serde_json::Value;

use crate::made_up_run::{ARMS, Arm, write};
use crate::program::{failure, output, report};

fn effects(run: &Path) -> Value {
    let text = output(report().args(["effects", "--format", "json", "--run"]).arg(run));
    serde_json::from_str::<Value>(&text).unwrap()["conditions"][0]["effects"].clone()
}

fn with(name: &str, change: impl Fn(&mut Arm)) -> Vec<Arm> {
    let mut arms = ARMS.to_vec();
    change(arms.iter_mut().find(|arm| arm.name == name).unwrap());
    arms
}

#[test]
fn what_was_put_in_is_found() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &ARMS, true);
    let effects = effects(folder.path());
    let value = |index: usize, key: &str| effects[index][key]["value"].as_f64().unwrap();
    for (index, expected_ns) in [(0, 0.0), (1, 700.0), (2, 5_020.0)] {
        // The launches' ±5 ns cancel over an even number of them.
        assert!((value(index, "wire_median") - expected_ns).abs() < 1e-6, "{effects:#}");
        assert!((value(index, "rtt_median") - expected_ns).abs() < 1e-6, "{effects:#}");
        assert!((value(index, "wire_mean") - expected_ns).abs() < 1e-6, "{effects:#}");
        // All arms are sent to and waited for alike.
        for part in ["send_path", "wake_up"] {
            assert_eq!(effects[index]["parts"][part]["value"], 0.0, "{effects:#}");
        }
    }
    assert!((value(2, "error") - 20.0).abs() < 1e-6);
    assert!((value(2, "error_of_mean") - 20.0).abs() < 1e-6);
    // Only an effect has a verdict and a total interval: wider by the error of the calibration, which is above 20 ns.
    for (index, verdict) in [(0, Value::Null), (1, "supported".into()), (2, Value::Null)] {
        assert_eq!(effects[index]["verdict"], verdict);
    }
    let low = effects[1]["wire_median"]["confidence_interval"][0].as_f64().unwrap();
    let total_low = effects[1]["total"]["low"].as_f64().unwrap();
    assert!((20.0..30.0).contains(&(low - total_low)), "{low} {total_low}");
    assert!((effects[2]["truth_ns"].as_f64().unwrap() - 5_000.0).abs() < 1e-9);
}

#[test]
fn other_data_give_other_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    let verdict = |name: &str, arms: &[Arm]| {
        let run = folder.path().join(name);
        write(&run, arms, true);
        effects(&run)[1]["verdict"].as_str().unwrap().to_owned()
    };
    // A hook that makes the server faster is not a cost.
    assert_eq!(verdict("a", &with("scan", |arm| arm.wire_ns -= 800)), "not_supported");
    assert_eq!(verdict("b", &with("scan", |arm| arm.wire_ns -= 700)), "inconclusive");
    // An error of a control widens the interval of the effect, 0.7 µs: two unmodified programs differ, and a delay is not
    // recovered.
    assert_eq!(verdict("c", &with("control", |arm| arm.wire_ns += 600)), "supported");
    assert_eq!(verdict("d", &with("control", |arm| arm.wire_ns += 800)), "inconclusive");
    assert_eq!(
        verdict("e", &with("delay-5us", |arm| arm.wire_ns -= 900)),
        "inconclusive"
    );
    assert_eq!(verdict("f", &with("delay-5us", |arm| arm.held_ns = None)), "supported");
}

#[test]
fn without_kernel_stamps_rtt_stands_in_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &ARMS, false);
    let text = output(report().args(["effects", "--run"]).arg(folder.path()));
    assert_eq!(text.matches("no kernel stamps").count(), 3, "{text}");
    assert!(text.contains("RTT +0.70"), "{text}");
    assert!(text.contains("local-bridge: not run (no <permission>)"), "{text}");
}

#[test]
fn damaged_and_foreign_runs_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let refused = || failure(report().args(["effects", "--run"]).arg(&run));
    assert!(refused().contains("manifest.json"));
    write(&run, &ARMS, true);
    let file = run.join("local-pod/0003/observations.parquet");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let error = refused();
    assert!(
        error.contains("local-pod/0003/observations.parquet") && error.contains("bytes"),
        "{error}"
    );
    // Of the recorded length, but not Parquet.
    std::fs::write(&file, vec![b'x'; whole.len()]).unwrap();
    let error = refused();
    assert!(
        error.contains("local-pod/0003/observations.parquet") && error.contains("Parquet"),
        "{error}"
    );
    std::fs::write(&file, &whole).unwrap();
    let manifest = run.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replacen("\"scan\"", "\"scam\"", 1)).unwrap();
    let error = refused();
    assert!(error.contains("scan") || error.contains("scam"), "{error}");
    let version = |number: u32| format!("\"schema_version\": {number}");
    std::fs::write(&manifest, text.replace(&version(MANIFEST_VERSION), &version(99))).unwrap();
    let error = refused();
    let expected = format!("schema_version 99; expected schema_version {MANIFEST_VERSION}");
    assert!(error.contains(&expected), "{error}");
}
