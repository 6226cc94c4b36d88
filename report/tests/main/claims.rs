//! `report claims` on made-up runs: the verdicts follow from the data.

use std::path::Path;

use serde_json::Value;

use crate::made_up_run::{ARM, ARMS, Arm, change_manifest, write};
use crate::program::{claims, claims_command, failure, output, report, verdict};

/// Returns the verdict and the text of the only claim for which a made-up run has data.
fn of(folder: &Path) -> (String, String) {
    verdict(folder, "r06-parts")
}

/// Writes the made-up run as a run of the experiment `overhead`, with an arm `log` whose wire time is `log_ns`.
fn written(folder: &Path, log_ns: i64, change: impl Fn(&mut Arm)) {
    let mut arms = ARMS.to_vec();
    arms.push(Arm {
        name: "log",
        wire_ns: log_ns,
        ..ARM
    });
    arms.iter_mut().for_each(change);
    write(folder, &arms, true);
    change_manifest(folder, |manifest| {
        manifest["experiment"] = "overhead".into();
        let logging = serde_json::json!({"name": "logging", "baseline": "scan", "arm": "log", "role": "effect"});
        // After "searching", as in the definition.
        manifest["plan"]["contrasts"].as_array_mut().unwrap().insert(2, logging);
    });
}

#[test]
fn scaled_and_swapped_arms_change_verdict_and_text() {
    let folder = tempfile::tempdir().unwrap();
    let found = |name: &str, log_ns: i64, change: fn(&mut Arm)| {
        let run = folder.path().join(name);
        written(&run, log_ns, change);
        of(&run)
    };
    // Searching costs 0.70 µs, logging 1.00 µs more.
    let (verdict, text) = found("as-it-is", 17_700, |_| {});
    assert_eq!(verdict, "supported", "{text}");
    assert!(text.contains("supported: local-pod 0.30 ["), "{text}");
    // Logging takes as long as searching did before, and less.
    let (verdict, text) = found("cheaper", 17_100, |_| {});
    assert_eq!(verdict, "not_supported", "{text}");
    assert!(text.contains("\u{2212}0.30 ["), "{text}");
    // All arms ten times as slow but for the controls.
    let (_, text) = found("scaled", 17_700, |arm| {
        if ["scan", "log"].contains(&arm.name) {
            arm.wire_ns = 16_000 + (arm.wire_ns - 16_000) * 10;
        }
    });
    assert!(text.contains("supported: local-pod 3.00 ["), "{text}");
    // Two arms swapped.
    let (verdict, text) = found("swapped", 17_700, |arm| {
        arm.wire_ns = match arm.name {
            "scan" => 17_700,
            "log" => 16_700,
            _ => arm.wire_ns,
        };
    });
    assert_eq!(verdict, "not_supported", "{text}");
    // A control with an error that the effect does not exceed: the total interval is wider by twice this error.
    let (verdict, text) = found("control", 17_700, |arm| {
        if arm.name == "control" {
            arm.wire_ns += 200;
        }
    });
    assert_eq!(verdict, "inconclusive", "{text}");
    assert!(
        text.contains("local-pod 0.30 [0.30, 0.30] µs, total [\u{2212}0.1"),
        "{text}"
    );
}

#[test]
fn a_limit_that_was_hit_leaves_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    written(run, 17_700, |_| {});
    change_manifest(run, |manifest| {
        for launch in [2, 5] {
            manifest["launches"][launch]["limit_hits"] = serde_json::json!([{
                "subject": "log", "kind": "throttled", "count": 1, "limit": null,
                "throttling": {"periods": 2, "waited_ns": 3_000_000},
            }]);
        }
    });
    let (verdict, text) = of(run);
    assert_eq!(verdict, "inconclusive", "{text}");
    assert!(
        text.contains("limit hit: log: throttled in 1 of 2 periods, for 3.0 ms, 2 such hits"),
        "{text}"
    );
}

#[test]
fn kept_evidence_says_the_same_as_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let (run, kept) = (folder.path().join("run"), folder.path().join("kept"));
    written(&run, 17_700, |_| {});
    std::fs::create_dir(&kept).unwrap();
    let mut command = claims_command(&run);
    let said = output(
        command
            .args(["--format", "json", "--keep"])
            .arg(kept.join("quantities.json")),
    );
    assert_eq!(claims(&kept), serde_json::from_str::<Value>(&said).unwrap());
    // A folder of both has each twice.
    let both = claims(folder.path());
    assert_eq!(both["misses"][0]["missed"]["trials"], 2);
    // Other claims have no data, and say so.
    assert!(said.contains("no data: measure r03"), "{said}");
}

#[test]
fn a_readers_run_is_told_from_a_recorded_one_of_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for run in ["data/reference/overhead", "data/runs/overhead"] {
        written(&at(run), 17_700, |_| {});
    }
    let recorded = of(&at("data/reference")).1;
    let yours = of(&at("data/runs")).1;
    assert_eq!(recorded, yours, "alone, a run need not say whose it is");
    let said_of_logging = || {
        let said = output(claims_command(&at("data/reference")).arg("--run").arg(at("data/runs")));
        let line = said.lines().find(|line| line.contains("effect logging beyond"));
        line.unwrap().to_owned()
    };
    let line = said_of_logging();
    let recorded = "supported: recorded local-pod 0.30 [";
    assert!(
        line.contains(recorded) && line.contains(", yours local-pod 0.30 ["),
        "{line}"
    );
    assert!(!line.contains("but"), "{line}");

    // Three launches are shown and decide nothing.
    change_manifest(&at("data/runs/overhead"), |manifest| {
        manifest["launches"].as_array_mut().unwrap().truncate(3);
    });
    let line = said_of_logging();
    let recorded = "0cpu, supported: supported in recorded local-pod 0.30 [";
    assert!(
        line.contains(recorded) && line.contains("but 3 launches, fewer than 10"),
        "{line}"
    );
}

#[test]
fn repetitions_are_counted_among_the_misses() {
    let folder = tempfile::tempdir().unwrap();
    let errors: Vec<f64> = (0..40).map(|index| f64::from(index % 10) - 4.5).collect();
    let calibration = |schedule: &str| {
        let covered = analysis::proportion(4, 4).unwrap();
        serde_json::json!({
            "run_id": "x", "schedule": schedule, "condition": "local-pod", "launches": 40, "recovered": [], "repeated": [
                {"name": "A/A", "role": "control", "launches": 10, "covered": covered, "p_value": 1.0, "errors_ns": errors},
            ]
        })
    };
    let all = serde_json::json!([calibration("interleaved"), calibration("sequential")]);
    std::fs::write(folder.path().join("calibration.json"), all.to_string()).unwrap();
    let misses = claims(folder.path())["misses"].clone();
    // Four repetitions of the interleaved design, none of which leaves out zero.
    assert_eq!(misses[0]["missed"]["trials"], 4);
    assert_eq!(misses[0]["missed"]["successes"], 0);
    std::fs::write(folder.path().join("calibration.json"), "{").unwrap();
    let said = failure(&mut claims_command(folder.path()));
    assert!(said.contains("calibration.json"), "{said}");
}

#[test]
fn one_processor_and_two_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    written(&run, 17_700, |_| {});
    let on = |threads: &str, command: &str| {
        let out = folder.path().join(threads);
        let mut program = report();
        program
            .env("RAYON_NUM_THREADS", threads)
            .args([command, "--run"])
            .arg(&run);
        match command {
            "html" => {
                program.args(["--study", "nowhere", "--out"]).arg(&out);
                output(&mut program);
                std::fs::read(out.join("results.json")).unwrap()
            }
            _ => output(program.args(["--format", "json"])).into_bytes(),
        }
    };
    for command in ["effects", "html"] {
        assert_eq!(on("1", command), on("2", command), "{command}");
    }
    let figures = std::fs::read_dir(folder.path().join("1/figures")).unwrap();
    let names: Vec<_> = figures.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        let figure = |threads: &str| std::fs::read(folder.path().join(threads).join("figures").join(&name)).unwrap();
        assert_eq!(figure("1"), figure("2"), "{name:?}");
    }
}
