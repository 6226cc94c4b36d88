//! Made-up runs, of which each time is known.

use std::num::NonZeroI64;
use std::path::Path;

use dataset::{
    FileHeader, Observation, ObservationWriter, RequestOutcome, UnfinishedLaunch, file_record, write_json,
    write_manifest,
};
use model::{
    ArmRecord, Clocks, ConditionRecord, Experiment, LaunchRecord, LoadSummary, MANIFEST_VERSION, Manifest,
    OBSERVATIONS_FILE, TelemetrySummary,
};
use serde_json::{Value, json};

/// The times of an arm's requests, ns, and their changes between launches and segments.
#[derive(Clone, Copy)]
pub(crate) struct Arm {
    pub(crate) name: &'static str,
    pub(crate) wire_ns: i64,
    pub(crate) held_ns: Option<f64>,
    /// Added to the wire time in every other launch, and subtracted in the others.
    pub(crate) launch_ns: i64,
    /// Added to the wire time in every other segment of a launch, and subtracted in the others.
    pub(crate) segment_ns: i64,
}

/// An arm with default values.
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
    let conditions = [
        ("local-pod", "namespaces", None),
        ("local-bridge", "none", Some("no <permission>")),
    ];
    let manifest = Manifest {
        run_id: "made-up".to_owned(),
        experiment: "test".to_owned(),
        plan: Some(plan()),
        command_line: vec!["bench".to_owned(), "run".to_owned()],
        conditions: conditions
            .map(|(name, level, not_run)| ConditionRecord {
                name: name.to_owned(),
                level: level.to_owned(),
                not_run: not_run.map(str::to_owned),
                ..ConditionRecord::default()
            })
            .into(),
        ..Manifest::default()
    };
    finish(directory, manifest, launches);
}

/// Writes the manifest of a run with its launches and the checksums of their observations.
pub(crate) fn finish(directory: &Path, manifest: Manifest, launches: Vec<LaunchRecord>) {
    let files = launches
        .iter()
        .map(|launch| file_record(directory, &launch.files.observations).unwrap());
    let manifest = Manifest {
        schema_version: MANIFEST_VERSION,
        finished_unix_ns: 1,
        files: files.collect(),
        launches,
        ..manifest
    };
    write_manifest(directory, &manifest).unwrap();
}

/// Changes the manifest of a run.
pub(crate) fn change_manifest(run: &Path, change: impl Fn(&mut Value)) {
    let path = run.join("manifest.json");
    let mut manifest: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut manifest);
    write_json(&path, &manifest).unwrap();
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
    let names = arms.iter().map(|arm| arm.name).collect::<Vec<_>>();
    let rounds = (0..ROUNDS).map(|round| {
        let requests = arms.iter().zip(0..);
        requests
            .map(move |(arm, index)| observation(arm, index, round, stamps, launch))
            .collect()
    });
    let records = arms.iter().zip(0..).map(|(arm, order)| ArmRecord {
        arm: arm.name.to_owned(),
        treatment: "made-up".to_owned(),
        start_order: order,
        connection_order: order,
        requests_sent: u64::from(ROUNDS),
        telemetry: arm.held_ns.map(|held_ns| TelemetrySummary {
            held_ns_median: held_ns,
            held_ns_on_median: None,
            held_ns_mean: held_ns,
            own_ns_median: 0.0,
            records: u64::from(ROUNDS),
            dropped: 0,
        }),
        ..ArmRecord::default()
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
    write_observations(directory, &names, rounds, &record);
    record
}

/// Writes a launch and its observations, which come in groups of rows.
pub(crate) fn write_observations(
    directory: &Path,
    arms: &[&str],
    rows: impl Iterator<Item = Vec<Observation>>,
    record: &LaunchRecord,
) {
    let unfinished = UnfinishedLaunch::begin(directory, &record.condition, record.launch).unwrap();
    let header = FileHeader {
        run: "made-up".to_owned(),
        condition: record.condition.clone(),
        launch: record.launch,
        arms: arms.iter().map(|name| (*name).to_owned()).collect(),
    };
    let mut writer = ObservationWriter::create(&unfinished.path().join(OBSERVATIONS_FILE), header).unwrap();
    rows.for_each(|group| writer.write(&group).unwrap());
    writer.finish().unwrap();
    unfinished.finish(record).unwrap();
}

/// An answered request at time zero.
pub(crate) const OBSERVATION: Observation = Observation {
    round: 0,
    position: 0,
    arm: 0,
    sequence: 0,
    connection: 0,
    request: 0,
    step: None,
    load_level_permille: None,
    block: None,
    intended_arrival_ns: 0,
    user_send_ns: 0,
    kernel_tx_ns: None,
    kernel_rx_ns: None,
    user_receive_ns: 0,
    outcome: RequestOutcome::Answered,
    http_status: 200,
    bytes: 100,
    warm_up: false,
};

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
        intended_arrival_ns: start_ns,
        user_send_ns: start_ns,
        kernel_tx_ns: stamp(start_ns + 2_000),
        kernel_rx_ns: stamp(start_ns + 2_000 + wire_ns),
        user_receive_ns: start_ns + 4_000 + wire_ns,
        warm_up: round == 0,
        ..OBSERVATION
    }
}
