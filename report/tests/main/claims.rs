//! `report claims` on made-up runs: the verdicts follow from the data.

use std::path::Path;

use dataset::{Run, sha256_of};
use report::claims::{gather, gather_from};
use serde_json::{Value, json};

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
        text.contains("local-pod 0.30 [0.29, 0.31] µs, total [\u{2212}0.12"),
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

#[test]
fn a_launch_that_is_left_out_gives_the_interval_of_the_other_launches() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    written(&run, 17_700, |_| {});
    let study = Path::new("nowhere");
    let all = gather_from(std::slice::from_ref(&run), study, true).unwrap();
    change_manifest(&run, |manifest| {
        manifest["launches"].as_array_mut().unwrap().remove(3);
    });
    let without = gather(std::slice::from_ref(&run), study).unwrap();
    let launch = "launch 3 of local-pod of made-up";
    let mut compared = 0;
    for (index, expected) in without.measured.iter().enumerate() {
        let left_out = all
            .left_out
            .iter()
            .find(|one| one.quantity == index && one.launch == launch);
        let (interval, total, tail) = left_out.map_or_else(
            // The quantity does not depend on the launch.
            || {
                let all = &all.evidence.measured[index];
                (all.interval, all.total, expected.tail)
            },
            |left_out| (left_out.interval, left_out.total, left_out.tail),
        );
        assert_eq!(
            (interval, total, tail),
            (expected.interval, expected.total, expected.tail),
            "{}",
            expected.quantity
        );
        compared += usize::from(left_out.is_some());
    }
    assert!(compared >= 3, "{compared} quantities depend on the launch");
}

#[test]
fn a_verdict_is_traced_to_rows_intervals_controls_and_commands() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    written(&run, 17_700, |_| {});
    let said = output(claims_command(&run).args(["--explain", "r06-parts", "--stability"]));
    for expected in [
        "r06-parts: The cost of the hook depends on the parts that run",
        "verdict: not run",
        "exploratory: supported (emulated only)",
        "registered plan: SHA-256 ",
        "primary row: local-pod in r06; server: ours",
        "exploratory rows of 0cpu: supported",
        "exploratory row: local-pod: supported",
        "run made-up on 0cpu, 10 launches",
        "plan: no plan asked for the run",
        "statistical interval: 0.30 [0.29, 0.31] µs",
        "total interval: 0.30 [0.2",
        "A/A control in local-pod of made-up: 0.00 [",
        "calibration in local-pod of made-up: 0.02 [",
        "error at most 0.0",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(
        said.contains(&format!("cargo xtask figures --run {}", run.display())),
        "{said}"
    );
    let error = failure(claims_command(&run).args(["--explain", "r11"]));
    assert!(
        error.contains("no claim `r11`; expected one of r01-spread, "),
        "{error}"
    );
}

#[test]
fn a_plan_that_names_the_row_and_its_hash_makes_it_primary() {
    let folder = tempfile::tempdir().unwrap();
    let (run, plan) = (folder.path().join("run"), folder.path().join("plan.toml"));
    let zeros = "0".repeat(64);
    let text = format!(
        "version = 1\n[files]\n[budget]\nlocal_min = 1\nengines_min = 1\nchallenge_min = 1\napplications_min = 1\n[[run]]\nname = \
         \"made-up\"\npart = \"local\"\ndefinition = \"experiments/overhead.toml\"\nsha256 = \"{zeros}\"\nconditions = \
         [\"local-pod\"]\nlaunches = 10\nrounds = 101\nwarm_up_rounds = 0\nsegment_rounds = 25\n[[claim]]\nid = \
         \"r06-parts\"\ncombine = \"every\"\nleast_effect = 100.0\nleast_effect_from = \"a test\"\n[[claim.row]]\nrun = \
         \"made-up\"\ncondition = \"local-pod\"\n"
    );
    std::fs::write(&plan, &text).unwrap();
    written(&run, 17_700, |_| {});
    let verdict = |change: &dyn Fn(&mut Value)| {
        change_manifest(&run, |manifest| change(manifest));
        let said = output(claims_command(&run).args(["--format", "json", "--plan"]).arg(&plan));
        let said: Value = serde_json::from_str(&said).unwrap();
        let mut all = said["recommendations"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|one| one["claims"].as_array().unwrap());
        let claim = all.find(|claim| claim["id"] == "r06-parts").unwrap();
        let text = |key: &str| claim[key]["verdict"].as_str().unwrap().to_owned();
        (text("registered"), text("exploratory"))
    };
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    let revision = |clean: bool| json!({"commit": "0123abc", "tree_clean": clean});
    let hash = sha256_of(text.as_bytes());
    assert_eq!(verdict(&|_| {}), pair("not_run", "supported"));
    let recorded = |clean: bool| {
        let hash = hash.clone();
        move |manifest: &mut Value| {
            manifest["plan_sha256"] = hash.clone().into();
            manifest["revision"] = revision(clean);
        }
    };
    assert_eq!(verdict(&recorded(true)), pair("supported", "not_run"));
    assert_eq!(verdict(&recorded(false)), pair("not_run", "supported"));
    assert_eq!(
        verdict(&|manifest| manifest["plan_sha256"] = zeros.clone().into()),
        pair("not_run", "supported")
    );
}

#[test]
fn the_recordings_before_the_plan_are_of_two_machines_and_no_plan_asked_for_them() {
    let recorded = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/reference/before-plan"));
    let machine = |run: &str| {
        let manifest = Run::open(&recorded.join(run)).unwrap().manifest;
        assert_eq!(manifest.plan_sha256, None);
        manifest.machine.described()
    };
    let xeon = "intel-xeon-unknown-2cpu (Intel(R) Xeon(R) Processor)";
    for run in ["overhead", "r03/none", "r03/one-envoy"] {
        assert_eq!(machine(run), xeon);
    }
    for run in ["r01", "r02/none", "r05", "r08/none", "r09"] {
        assert_eq!(machine(run), "amd-epyc-unknown-2cpu (AMD EPYC)");
    }
}
