//! Generates a synthetic run of any size from a seed, with times that resemble measured times.

use std::num::NonZeroI64;
use std::path::Path;

use anyhow::{Context, Result};
use dataset::{
    FileHeader, Observation, ObservationWriter, ROW_GROUP_ROWS, RequestOutcome, UnfinishedLaunch, file_record,
    write_manifest,
};
use model::{
    ArmRecord, Clocks, ConditionRecord, Experiment, LaunchRecord, LoadSummary, MANIFEST_VERSION, Manifest,
    OBSERVATIONS_FILE, TelemetrySummary,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rayon::prelude::*;
use serde_json::json;

const CONDITION: &str = "local-pod";
const SEED: u64 = 2_023;
/// Number of launches, as in an ordinary run.
pub(crate) const LAUNCHES: u32 = 12;
const WARM_UP_ROUNDS: u32 = 1_000;
/// Arms and their median wire times, ns.
const ARMS: [(&str, i64); 7] = [
    ("unmodified", 16_000),
    ("control", 16_000),
    ("forward", 16_040),
    ("scan", 16_230),
    ("log", 17_200),
    ("delay-0", 16_300),
    ("delay-5us", 21_300),
];

/// Writes a run of about this number of observations.
pub(crate) fn run(folder: &Path, observations: u64) -> Result<u64> {
    let of_launch = observations / u64::from(LAUNCHES) / ARMS.len() as u64;
    let rounds = u32::try_from(of_launch).context("so many rounds cannot be numbered; ask for fewer rows")?;
    let launches: Vec<LaunchRecord> = (0..LAUNCHES)
        .into_par_iter()
        .map(|launch| write_launch(folder, launch, rounds))
        .collect::<Result<_>>()?;
    let manifest = Manifest {
        schema_version: MANIFEST_VERSION,
        run_id: "made-up".to_owned(),
        experiment: "made-up".to_owned(),
        plan: Some(plan(rounds)?),
        conditions: vec![ConditionRecord {
            name: CONDITION.to_owned(),
            level: "made up".to_owned(),
            ..ConditionRecord::default()
        }],
        files: launches
            .iter()
            .map(|launch| file_record(folder, &launch.files.observations))
            .collect::<Result<_, _>>()?,
        launches,
        notes: vec!["made up by report-bench; nothing was measured".to_owned()],
        ..Manifest::default()
    };
    write_manifest(folder, &manifest)?;
    Ok(u64::from(rounds) * u64::from(LAUNCHES) * ARMS.len() as u64)
}

fn plan(rounds: u32) -> Result<Experiment> {
    let arms: Vec<_> = ARMS
        .iter()
        .map(|(name, _)| json!({"name": name, "treatment": "unmodified"}))
        .collect();
    let plan = json!({
        "name": "made-up",
        "question": "How fast is the analysis?",
        "conditions": [CONDITION],
        "launches": LAUNCHES,
        "seed": SEED,
        "load": {
            "schedule": "interleaved",
            "rounds": rounds,
            "warm_up_rounds": WARM_UP_ROUNDS,
            "segment_rounds": 500,
            "wait": "spin",
            "timeout_ms": 1_000,
            "max_error_share": 0.0,
        },
        "request": {"method": "GET", "path": "/", "headers": [], "body": ""},
        "sut": {
            "program": "synthetic",
            "accept": "accept4",
            "receive": "recv",
            "reads_per_request": 1,
            "response_bytes": 16,
            "work_ns": 0,
            "threads": 1,
        },
        "arms": arms,
        "contrasts": [
            {"name": "A/A", "baseline": "unmodified", "arm": "control", "role": "control"},
            {"name": "interposing", "baseline": "unmodified", "arm": "forward", "role": "effect"},
            {"name": "searching", "baseline": "forward", "arm": "scan", "role": "effect"},
            {"name": "logging", "baseline": "scan", "arm": "log", "role": "effect"},
            {"name": "calibration", "baseline": "delay-0", "arm": "delay-5us", "role": "calibration"},
        ],
    });
    serde_json::from_value(plan).context("the plan of the made-up run")
}

fn write_launch(folder: &Path, launch: u32, rounds: u32) -> Result<LaunchRecord> {
    let unfinished = UnfinishedLaunch::begin(folder, CONDITION, launch)?;
    let header = FileHeader {
        run: "made-up".to_owned(),
        condition: CONDITION.to_owned(),
        launch,
        arms: ARMS.iter().map(|(name, _)| (*name).to_owned()).collect(),
    };
    let mut writer = ObservationWriter::create(&unfinished.path().join(OBSERVATIONS_FILE), header)?;
    let mut times = SeededTimes::new(launch);
    let mut rows: Vec<Observation> = Vec::with_capacity(ROW_GROUP_ROWS);
    for round in 0..rounds {
        times.round(round, &mut rows);
        if rows.len() + ARMS.len() > ROW_GROUP_ROWS {
            writer.write(&rows)?;
            rows.clear();
        }
    }
    writer.write(&rows)?;
    writer.finish()?;
    let arms = ARMS.iter().zip(0..).map(|((name, _), order)| ArmRecord {
        arm: (*name).to_owned(),
        treatment: "made up".to_owned(),
        start_order: order,
        connection_order: order,
        requests_sent: rounds.into(),
        telemetry: name.starts_with("delay").then(|| {
            let held_ns = if *name == "delay-0" { 40.0 } else { 5_040.0 };
            TelemetrySummary {
                held_ns_median: held_ns,
                held_ns_on_median: None,
                held_ns_mean: held_ns,
                own_ns_median: 40.0,
                records: rounds.into(),
                dropped: 0,
            }
        }),
        ..ArmRecord::default()
    });
    let record = LaunchRecord {
        arms: arms.collect(),
        loadgen: Some(LoadSummary {
            clocks: Clocks {
                kernel_minus_user_ns: 500,
                change_ns: 3,
                ..Clocks::default()
            },
            ..LoadSummary::default()
        }),
        ..LaunchRecord::of_observations(CONDITION, launch)
    };
    unfinished.finish(&record)?;
    Ok(record)
}

/// Draws wire times: a distribution a few microseconds wide, occasional long pauses, and a constant for each process.
struct SeededTimes {
    generator: Pcg64,
    now_ns: i64,
    order: [u16; ARMS.len()],
    process_ns: [i64; ARMS.len()],
}

impl SeededTimes {
    fn new(launch: u32) -> Self {
        let mut generator = Pcg64::seed_from_u64(SEED + u64::from(launch));
        let process_ns = std::array::from_fn(|_| generator.random_range(-60..60));
        Self {
            generator,
            now_ns: 1_000_000_000,
            order: std::array::from_fn(|arm| u16::try_from(arm).unwrap_or(0)),
            process_ns,
        }
    }

    fn round(&mut self, round: u32, rows: &mut Vec<Observation>) {
        for last in (1..ARMS.len()).rev() {
            let other = self.generator.random_range(0..=last);
            self.order.swap(last, other);
        }
        for (position, arm) in (0..).zip(self.order) {
            let index = usize::from(arm);
            let wire_ns = ARMS[index].1 + self.process_ns[index] + self.spread(1_200) + self.pause();
            let send_path_ns = 3_000 + self.spread(300);
            let wake_up_ns = 1_500 + self.spread(400);
            let tx_ns = self.now_ns + send_path_ns + 500;
            let stamp = |ns| (round > 0).then(|| NonZeroI64::new(ns)).flatten();
            let receive_ns = self.now_ns + send_path_ns + wire_ns + wake_up_ns;
            rows.push(Observation {
                round,
                position,
                arm,
                sequence: round,
                connection: 0,
                request: 0,
                step: None,
                load_level_permille: None,
                block: None,
                intended_arrival_ns: self.now_ns,
                user_send_ns: self.now_ns,
                kernel_tx_ns: stamp(tx_ns),
                kernel_rx_ns: stamp(tx_ns + wire_ns),
                user_receive_ns: receive_ns,
                outcome: RequestOutcome::Answered,
                http_status: 200,
                bytes: 120,
                warm_up: round < WARM_UP_ROUNDS,
            });
            self.now_ns = receive_ns + 900 + self.generator.random_range(0..100);
        }
    }

    /// Returns an approximately normal value: the sum of four uniform values.
    fn spread(&mut self, width_ns: i64) -> i64 {
        let draw = |generator: &mut Pcg64| generator.random_range(-width_ns..=width_ns);
        (0..4).map(|_| draw(&mut self.generator)).sum::<i64>() / 2
    }

    /// Returns the pause of a request, ns. One request in a hundred has a pause, and a few pauses are long.
    fn pause(&mut self) -> i64 {
        let draw: u32 = self.generator.random();
        if draw.is_multiple_of(100) {
            // The pauses follow a power law.
            let share = f64::from(self.generator.random::<u32>() | 1) / f64::from(u32::MAX);
            #[expect(clippy::cast_possible_truncation, reason = "at most 2^32 times 3 us")]
            let pause_ns = (3_000.0 / share.sqrt()) as i64;
            pause_ns
        } else {
            0
        }
    }
}
