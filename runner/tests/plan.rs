//! `runner plan` on a recorded run whose variances are known.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroI64;
use std::path::Path;
use std::process::Command;

use crate::common::{SMALL, failure};
use dataset::{
    FileHeader, Observation, ObservationWriter, RequestOutcome, UnfinishedLaunch, file_record, write_manifest,
};
use model::LimitEnforcement;
use model::{
    ArmRecord, Clock, ConditionRecord, Host, LaunchRecord, LoadSummary, MANIFEST_VERSION, Machine, Manifest,
    OBSERVATIONS_FILE,
};
use serde_json::json;

const LAUNCHES: u32 = 12;
const ROUNDS: u32 = 210;
const SEGMENT_ROUNDS: u32 = 10;
const ARMS: [&str; 3] = ["unmodified", "scan", "delay"];

/// A pilot whose effect differs by `launch_ns` from launch to launch, up and down in turn, and by `segment_ns` from segment to
/// segment. Each launch takes a second, a tenth of it measured.
fn pilot(folder: &Path, launch_ns: i64, segment_ns: i64) {
    fs::create_dir_all(folder).unwrap();
    let launches: Vec<LaunchRecord> = (0..LAUNCHES)
        .map(|launch| write_launch(folder, launch, launch_ns, segment_ns))
        .collect();
    let mut plan: serde_json::Value = serde_json::to_value(toml::from_str::<toml::Table>(SMALL).unwrap()).unwrap();
    plan["conditions"] = json!(["local-pod", "local-bridge"]);
    plan["load"]["rounds"] = ROUNDS.into();
    let manifest = Manifest {
        schema_version: MANIFEST_VERSION,
        run_id: "pilot".to_owned(),
        experiment: "small".to_owned(),
        plan: Some(serde_json::from_value(plan).unwrap()),
        plan_sha256: None,
        clock: Clock::Monotonic,
        revision: None,
        command_line: Vec::new(),
        started_unix_ns: 0,
        finished_unix_ns: i64::from(LAUNCHES) * 1_000_000_000,
        machine: Machine::default(),
        host: Host::default(),
        tools: BTreeMap::new(),
        conditions: vec![ConditionRecord {
            name: "local-pod".to_owned(),
            level: "namespaces".to_owned(),
            limits_by: LimitEnforcement::None,
            kept_awake: false,
            missing: None,
            not_run: None,
        }],
        files: launches
            .iter()
            .map(|launch| file_record(folder, &launch.files.observations).unwrap())
            .collect(),
        launches,
        notes: Vec::new(),
    };
    write_manifest(folder, &manifest).unwrap();
}

fn write_launch(folder: &Path, launch: u32, launch_ns: i64, segment_ns: i64) -> LaunchRecord {
    let unfinished = UnfinishedLaunch::begin(folder, "local-pod", launch).unwrap();
    let header = FileHeader {
        run: "pilot".to_owned(),
        condition: "local-pod".to_owned(),
        launch,
        arms: ARMS.map(str::to_owned).into(),
    };
    let mut writer = ObservationWriter::create(&unfinished.path().join(OBSERVATIONS_FILE), header).unwrap();
    let sign = |number: u32| if number.is_multiple_of(2) { 1 } else { -1 };
    for round in 0..ROUNDS {
        let rows = [0_u16, 1, 2].map(|arm| {
            let start_ns = 1_000_000 * i64::from(round + 1);
            let differs_ns = sign(launch) * launch_ns + sign(round / SEGMENT_ROUNDS) * segment_ns;
            let wire_ns = 16_000 + if arm == 1 { 700 + differs_ns } else { 0 };
            Observation {
                round,
                position: arm,
                arm,
                sequence: round,
                connection: 0,
                request: 0,
                step: None,
                load_level_permille: None,
                block: None,
                intended_arrival_ns: start_ns,
                user_send_ns: start_ns,
                kernel_tx_ns: NonZeroI64::new(start_ns + 2_000),
                kernel_rx_ns: NonZeroI64::new(start_ns + 2_000 + wire_ns),
                user_receive_ns: start_ns + 4_000 + wire_ns,
                outcome: RequestOutcome::Answered,
                http_status: 200,
                bytes: 100,
                warm_up: round < 10,
            }
        });
        writer.write(&rows).unwrap();
    }
    writer.finish().unwrap();
    let arm = |(name, order): (&str, u32)| ArmRecord {
        arm: name.to_owned(),
        treatment: name.to_owned(),
        start_order: order,
        connection_order: order,
        address: String::new(),
        hook_mapped: None,
        requests_sent: ROUNDS.into(),
        telemetry: None,
        coverage: None,
        server: None,
        tight_loop: None,
        limits: None,
        resources: None,
    };
    let record = LaunchRecord {
        arms: ARMS.into_iter().zip(0..).map(arm).collect(),
        loadgen: Some(LoadSummary {
            elapsed_s: 0.1,
            ..LoadSummary::default()
        }),
        ..LaunchRecord::of_observations("local-pod", launch)
    };
    unfinished.finish(&record).unwrap();
    record
}

fn plan(run: &Path, goal: [&str; 2], out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command
        .args(["plan", "--run"])
        .arg(run)
        .args(goal)
        .arg("--out")
        .arg(out);
    command
}

/// Plans from a recorded run. Returns the printed text, the number of launches and the number of rounds.
fn planned(run: &Path, goal: [&str; 2], out: &Path) -> (String, i64, i64) {
    let output = plan(run, goal, out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table: toml::Table = toml::from_str(&fs::read_to_string(out).unwrap()).unwrap();
    let rounds = table["load"]["rounds"].as_integer().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (said, table["launches"].as_integer().unwrap(), rounds)
}

#[test]
fn a_plan_is_read_by_the_runner_and_says_how_it_came_about() {
    let desk = tempfile::tempdir().unwrap();
    let (run, out) = (desk.path().join("pilot"), desk.path().join("plans/planned.toml"));
    pilot(&run, 100, 20);
    let (said, launches, _) = planned(&run, ["--precision", "50ns"], &out);
    // ±100 ns in turn: s = 104 ns, and t(0.975, 18) s/√19 = 50.3 ns, t(0.975, 19) s/√20 = 48.9 ns.
    assert_eq!(launches, 20, "{said}");
    assert!(said.contains("expected half-width 0.049 us"), "{said}");
    assert!(said.contains("about ") && said.contains(" s in all"), "{said}");
    let text = fs::read_to_string(&out).unwrap();
    assert!(
        text.starts_with("# Planned by `runner plan` from the run pilot for half-widths"),
        "{text}"
    );
    // The pilot did not run on the bridge, so that nothing is known of it.
    assert!(text.contains("conditions = [\"local-pod\"]"), "{text}");
    // The runner reads it: what it refuses is only what the command line makes of it.
    let mut runner = Command::new(env!("CARGO_BIN_EXE_runner"));
    let error = failure(
        runner
            .arg("run")
            .arg(&out)
            .args(["--launches", "0", "--out"])
            .arg(desk.path().join("run")),
    );
    assert!(error.contains("`launches`: 0; expected at least 1"), "{error}");
}

#[test]
fn what_launches_do_not_differ_by_is_bought_with_rounds() {
    let desk = tempfile::tempdir().unwrap();
    let (launchy, segmenty) = (desk.path().join("launchy"), desk.path().join("segmenty"));
    pilot(&launchy, 200, 10);
    pilot(&segmenty, 0, 200);
    let goal = ["--effect", "50ns"];
    let (_, many_launches, few_rounds) = planned(&launchy, goal, &desk.path().join("a.toml"));
    let (said, few_launches, many_rounds) = planned(&segmenty, goal, &desk.path().join("b.toml"));
    assert!(
        many_launches > 100 && few_rounds < i64::from(ROUNDS),
        "{many_launches} x {few_rounds}"
    );
    assert!(
        few_launches == 10 && many_rounds > few_rounds,
        "{few_launches} x {many_rounds}: {said}"
    );
    assert!(said.contains("found with 80 % power"), "{said}");
}

#[test]
fn what_makes_no_plan_is_refused() {
    let desk = tempfile::tempdir().unwrap();
    let run = desk.path().join("pilot");
    pilot(&run, 100, 20);
    let out = desk.path().join("planned.toml");
    let error = failure(&mut plan(&run, ["--precision", "50"], &out));
    assert!(error.contains("--precision"), "{error}");
    let error = failure(plan(&run, ["--precision", "50ns"], &out).args(["--contrast", "cooking"]));
    assert!(error.contains("no such contrast"), "{error}");
    let error = failure(plan(&run, ["--precision", "50ns"], &out).args(["--effect", "50ns"]));
    assert!(error.contains("cannot be used with"), "{error}");
    assert!(!out.exists());
    let error = failure(&mut plan(&desk.path().join("nowhere"), ["--precision", "50ns"], &out));
    assert!(error.contains("nowhere"), "{error}");
}
