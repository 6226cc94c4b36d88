//! `report html` on a made-up run of the study's experiment, with and without a made-up import of the study.

use std::fs;
use std::path::Path;

use dataset::Observation;
use model::{Clock, ConditionRecord, LaunchRecord, Manifest};
use serde_json::Value;

use crate::made_up_run::{ARM, ARMS, Arm, OBSERVATION, change_manifest, finish, write, write_observations};
use crate::program::{output, report};

/// The study's conditions and requests of each of their recordings: enough for its cuts and its batches.
const RECORDED: [(&str, u32); 4] = [
    ("docker", 6_100),
    ("kind", 6_100),
    ("eks-pod", 6_100),
    ("eks-nodes", 22_000),
];
const MS: i64 = 1_000_000;

/// Writes a run of the study's experiment in which the hook costs 1.5 ms. The launches from the sixth on are of the condition
/// `second`.
fn run(folder: &Path, second: &str) {
    let mut arms = ARMS.to_vec();
    let hooked = arms.iter_mut().find(|arm| arm.name == "scan").unwrap();
    *hooked = Arm {
        name: "with hook",
        wire_ns: 16_000 + 3 * MS / 2,
        ..ARM
    };
    write(folder, &arms, true);
    change_manifest(folder, |manifest| {
        manifest["experiment"] = "ssp2023".into();
        manifest["plan"]["load"]["warm_up_rounds"] = 1.into();
        manifest["plan"]["contrasts"][1]["arm"] = "with hook".into();
        manifest["conditions"][1]["name"] = second.into();
        manifest["conditions"][1]["not_run"] = Value::Null;
        for launch in manifest["launches"].as_array_mut().unwrap().iter_mut().skip(5) {
            launch["condition"] = second.into();
        }
    });
}

/// Writes an import of the study in which a request takes 2 ms, and 2.5 ms with the hook.
fn study(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let launches = RECORDED.map(|(condition, requests)| launch(folder, condition, requests));
    let conditions = RECORDED.map(|(condition, _)| ConditionRecord {
        name: condition.to_owned(),
        level: "recorded".to_owned(),
        ..ConditionRecord::default()
    });
    let manifest = Manifest {
        run_id: "ssp2023".to_owned(),
        experiment: "ssp2023".to_owned(),
        clock: Clock::Realtime,
        conditions: conditions.into(),
        ..Manifest::default()
    };
    finish(folder, manifest, launches.into());
}

fn launch(folder: &Path, condition: &str, requests: u32) -> LaunchRecord {
    let record = LaunchRecord::of_observations(condition, 0);
    let recordings = [(0, 2 * MS), (1, 5 * MS / 2)]
        .map(|(arm, rtt_ns)| (0..requests).map(|sequence| request(arm, sequence, rtt_ns)).collect());
    write_observations(folder, &["unmodified", "hook"], recordings.into_iter(), &record);
    record
}

fn request(arm: u16, sequence: u32, rtt_ns: i64) -> Observation {
    let start_ns = 10 * MS * i64::from(sequence + 1);
    Observation {
        round: sequence,
        arm,
        sequence,
        intended_arrival_ns: start_ns,
        user_send_ns: start_ns,
        user_receive_ns: start_ns + rtt_ns + noise_ns(sequence),
        ..OBSERVATION
    }
}

/// Returns the noise of a request, ns: equal for both arms, without a period (Knuth's multiplicative hash).
fn noise_ns(sequence: u32) -> i64 {
    i64::from(sequence.wrapping_mul(2_654_435_761) >> 16)
}

/// The page and the results of a run.
fn page(run: &Path, study: &Path, out: &Path) -> (String, Value) {
    let mut command = report();
    command.arg("html").arg("--study").arg(study);
    output(command.arg("--run").arg(run).arg("--out").arg(out));
    let text = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    (text("index.html"), serde_json::from_str(&text("results.json")).unwrap())
}

/// Returns the cells of the row of the first table with a condition's difference of means.
fn row(page: &str, condition: &str) -> Vec<String> {
    let begin = format!("<tr><td>{condition}</td><td>difference of means</td>");
    let (_, rest) = page.split_once(&begin).unwrap();
    let (row, _) = rest.split_once("</tr>").unwrap();
    let cells = row.split("<td").skip(1);
    cells
        .map(|cell| cell.split_once('>').unwrap().1.replace("</td>", ""))
        .collect()
}

#[test]
fn ours_stand_beside_the_studys() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    run(&at("run"), "docker");
    study(&at("study"));
    let (text, results) = page(&at("run"), &at("study"), &at("out"));

    // Known, recomputed, ours in, first launch, all launches.
    let docker = row(&text, "docker");
    assert_eq!(docker[1..], ["0.50000", "docker", "1.50000", "1.5000 [1.5000, 1.5000]"]);
    // Where the study's own condition was not measured, the one with its topology, and else none.
    assert_eq!(row(&text, "kind")[2..4], ["local-pod", "1.50000"]);
    assert_eq!(row(&text, "eks-nodes")[1..], ["0.50000", "not run", "–", "–"]);

    let ours = results["reproduction"]["conditions"].as_array().unwrap();
    let launches: Vec<(&str, u64)> = ours
        .iter()
        .map(|one| (one["condition"].as_str().unwrap(), one["launches"].as_u64().unwrap()))
        .collect();
    assert_eq!(launches, [("local-pod", 5), ("docker", 5)]);
    assert_eq!(ours[0]["by_its_method"]["cut"], 1);
    let pairs = results["reproduction"]["counterparts"].as_array().unwrap().iter();
    let pairs: Vec<(&str, Option<&str>)> = pairs
        .map(|pair| (pair["study"].as_str().unwrap(), pair["ours"].as_str()))
        .collect();
    let expected = [
        ("docker", Some("docker")),
        ("kind", Some("local-pod")),
        ("eks-pod", Some("local-pod")),
        ("eks-nodes", None),
    ];
    assert_eq!(pairs, expected);
    // What is kept of a run is what its page shows.
    let kept = fs::read_to_string(at("out").join("reproduction.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), results["reproduction"]);

    for name in [
        "study-box-plot",
        "ours-box-plot",
        "study-run-sequence",
        "ours-run-sequence",
    ] {
        assert!(at("out").join(format!("figures/{name}.svg")).is_file(), "{name}");
    }
    // Each figure of ours follows its original.
    let place = |caption: &str| text.find(caption).unwrap_or_else(|| panic!("{caption}"));
    let captions = [
        "Round-trip time in the 2023 study",
        "Round-trip time in our run",
        "to the unmodified program in the 2023 study",
        "to the unmodified program in our run",
    ];
    assert!(captions.map(place).is_sorted());
}

#[test]
fn where_ours_were_measured_follows_from_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str, second: &str| {
        run(&at(name), second);
        page(&at(name), &at("no-study"), &at(&format!("{name}-out"))).0
    };
    let both = text("both", "kind");
    let places = "in kind (as the study did, on other machines) and in local-pod (the topologies of its conditions";
    // Above the table and below the figure.
    assert_eq!(both.matches(places).count(), 2);
    assert_eq!(row(&both, "kind")[1..3], ["not imported", "kind"]);

    let emulated = text("emulated", "local-bridge");
    assert!(emulated.contains("in local-pod, local-bridge (the topologies of its conditions"));
    assert!(!emulated.contains("as the study did"));
    assert_eq!(row(&emulated, "docker")[2], "local-bridge");
}
