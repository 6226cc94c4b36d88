//! A run made up by the tests: what stands in it is known exactly.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod grids;

use std::collections::BTreeMap;
use std::num::NonZeroI64;
use std::path::Path;
use std::process::Command;

use dataset::{
    FileHeader, Observation, ObservationWriter, RequestOutcome, UnfinishedLaunch, file_record, write_manifest,
};
use model::LimitEnforcement;
use model::{
    ArmRecord, Clock, Clocks, ConditionRecord, Experiment, Host, LaunchRecord, LoadSummary, MANIFEST_VERSION, Machine,
    Manifest, OBSERVATIONS_FILE, TelemetrySummary,
};
use serde_json::json;

/// What an arm's requests took, and how it differs from launch to launch.
#[derive(Clone, Copy)]
pub(crate) struct Arm {
    pub(crate) name: &'static str,
    pub(crate) wire_ns: i64,
    pub(crate) held_ns: Option<f64>,
    /// Added in every other launch, and taken from the others.
    pub(crate) launch_ns: i64,
    /// The same for segments of a launch.
    pub(crate) segment_ns: i64,
}

/// What arms have in common.
pub(crate) const ARM: Arm = Arm {
    name: "",
    wire_ns: 16_000,
    held_ns: None,
    launch_ns: 5,
    segment_ns: 0,
};

/// Baseline, control, a cost of 700 ns, and a calibration that recovers its 5,000 ns with an error of 20 ns.
pub(crate) const ARMS: [Arm; 5] = [
    Arm {
        name: "unmodified",
        ..ARM
    },
    Arm { name: "control", ..ARM },
    Arm {
        name: "scan",
        wire_ns: 16_700,
        ..ARM
    },
    Arm {
        name: "delay-0",
        wire_ns: 16_100,
        held_ns: Some(40.0),
        ..ARM
    },
    Arm {
        name: "delay-5us",
        wire_ns: 21_120,
        held_ns: Some(5_040.0),
        ..ARM
    },
];

/// Launches of the made-up run.
pub(crate) const LAUNCHES: u32 = 10;
const ROUNDS: u32 = 101;
/// Rounds of a segment.
pub(crate) const SEGMENT_ROUNDS: u32 = 25;

/// Writes a run; `stamps` says whether the observations carry kernel stamps.
pub(crate) fn write(directory: &Path, arms: &[Arm], stamps: bool) {
    write_launches(directory, arms, stamps, LAUNCHES);
}

/// Writes a run of so many launches.
pub(crate) fn write_launches(directory: &Path, arms: &[Arm], stamps: bool, launches: u32) {
    std::fs::create_dir_all(directory).unwrap();
    let launches: Vec<LaunchRecord> = (0..launches)
        .map(|launch| write_launch(directory, arms, stamps, launch))
        .collect();
    let manifest = Manifest {
        schema_version: MANIFEST_VERSION,
        run_id: "made-up".to_owned(),
        experiment: "test".to_owned(),
        plan: Some(plan()),
        plan_sha256: None,
        clock: Clock::Monotonic,
        revision: None,
        command_line: vec!["bench".to_owned(), "run".to_owned()],
        started_unix_ns: 0,
        finished_unix_ns: 1,
        machine: Machine::default(),
        host: Host::default(),
        tools: BTreeMap::new(),
        conditions: vec![
            ConditionRecord {
                name: "local-pod".to_owned(),
                level: "namespaces".to_owned(),
                limits_by: LimitEnforcement::None,
                kept_awake: false,
                missing: None,
                not_run: None,
            },
            ConditionRecord {
                name: "local-bridge".to_owned(),
                level: "none".to_owned(),
                limits_by: LimitEnforcement::None,
                kept_awake: false,
                missing: None,
                not_run: Some("no <permission>".to_owned()),
            },
        ],
        files: launches
            .iter()
            .map(|launch| file_record(directory, &launch.files.observations).unwrap())
            .collect(),
        launches,
        notes: Vec::new(),
    };
    write_manifest(directory, &manifest).unwrap();
}

/// An experiment with all arms that any made-up run has. Its requests are not interleaved, so that no order is looked at.
fn plan() -> Experiment {
    let plan = json!({
        "name": "test",
        "question": "",
        "conditions": ["local-pod", "local-bridge"],
        "launches": LAUNCHES,
        "seed": 1,
        "load": {
            "schedule": "sequential",
            "rounds": ROUNDS,
            "warm_up_rounds": 0,
            "segment_rounds": 1_000,
            "wait": "sleep",
            "timeout_ms": 1_000,
            "max_error_share": 0.0,
        },
        "request": {"method": "GET", "path": "/", "headers": [], "body": ""},
        "sut": {
            "program": "synthetic",
            "accept": "accept",
            "receive": "read",
            "reads_per_request": 1,
            "response_bytes": 16,
            "work_ns": 0,
            "threads": 1,
        },
        "arms": [{"name": "unmodified", "treatment": "unmodified"}],
        "contrasts": [
            {"name": "A/A", "baseline": "unmodified", "arm": "control", "role": "control"},
            {"name": "searching", "baseline": "unmodified", "arm": "scan", "role": "effect"},
            {"name": "calibration", "baseline": "delay-0", "arm": "delay-5us", "role": "calibration"},
        ],
    });
    serde_json::from_value(plan).unwrap()
}

fn write_launch(directory: &Path, arms: &[Arm], stamps: bool, launch: u32) -> LaunchRecord {
    let unfinished = UnfinishedLaunch::begin(directory, "local-pod", launch).unwrap();
    let header = FileHeader {
        run: "made-up".to_owned(),
        condition: "local-pod".to_owned(),
        launch,
        arms: arms.iter().map(|arm| arm.name.to_owned()).collect(),
    };
    let mut writer = ObservationWriter::create(&unfinished.path().join(OBSERVATIONS_FILE), header).unwrap();
    for round in 0..ROUNDS {
        let row: Vec<Observation> = arms
            .iter()
            .zip(0..)
            .map(|(arm, index)| observation(arm, index, round, stamps, launch))
            .collect();
        writer.write(&row).unwrap();
    }
    writer.finish().unwrap();
    let records = arms.iter().zip(0..).map(|(arm, order)| ArmRecord {
        arm: arm.name.to_owned(),
        treatment: "made-up".to_owned(),
        start_order: order,
        connection_order: order,
        address: String::new(),
        limits: None,
        hook_mapped: None,
        requests_sent: u64::from(ROUNDS),
        telemetry: arm.held_ns.map(|held_ns| TelemetrySummary {
            held_ns_median: held_ns,
            held_ns_mean: held_ns,
            own_ns_median: 0.0,
            records: u64::from(ROUNDS),
            dropped: 0,
        }),
        coverage: None,
        server: None,
        tight_loop: None,
        resources: None,
    });
    let record = LaunchRecord {
        arms: records.collect(),
        loadgen: Some(LoadSummary {
            clocks: Clocks {
                kernel_minus_user_ns: 500,
                change_ns: 3,
                ..Clocks::default()
            },
            ..LoadSummary::default()
        }),
        ..LaunchRecord::of_observations("local-pod", launch)
    };
    unfinished.finish(&record).unwrap();
    record
}

/// Symmetric around the arm's wire time; launches and segments differ alternately; the first round is warm-up and wild.
fn observation(arm: &Arm, index: u16, round: u32, stamps: bool, launch: u32) -> Observation {
    let start_ns = 1_000_000 * i64::from(round + 1);
    let noise_ns = (i64::from(round) - 51) * 10;
    let alternating = |ns: i64, number: u32| if number.is_multiple_of(2) { ns } else { -ns };
    let launch_ns = alternating(arm.launch_ns, launch + u32::from(index));
    let segment_ns = alternating(arm.segment_ns, round / SEGMENT_ROUNDS);
    let wire_ns = if round == 0 {
        9_000_000
    } else {
        arm.wire_ns + noise_ns + launch_ns + segment_ns
    };
    let stamp = |ns| stamps.then(|| NonZeroI64::new(ns).unwrap());
    Observation {
        round,
        position: index,
        arm: index,
        sequence: round,
        connection: 0,
        request: 0,
        step: None,
        load_level_permille: None,
        block: None,
        intended_arrival_ns: start_ns,
        user_send_ns: start_ns,
        kernel_tx_ns: stamp(start_ns + 2_000),
        kernel_rx_ns: stamp(start_ns + 2_000 + wire_ns),
        user_receive_ns: start_ns + 4_000 + wire_ns,
        outcome: RequestOutcome::Answered,
        http_status: 200,
        bytes: 100,
        warm_up: round == 0,
    }
}

/// The program.
pub(crate) fn report() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("report"))
}

/// What a command prints; panics with what it said when it fails.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command says when it fails; panics when it succeeds.
pub(crate) fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "expected a failure");
    String::from_utf8(output.stderr).unwrap()
}
