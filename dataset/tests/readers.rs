//! Other programs read files of observations: `tests/requirements.txt` has their versions.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroI64;
use std::path::Path;
use std::process::Command;

use dataset::{FileHeader, Observation, ObservationWriter, RequestOutcome, UnfinishedLaunch, write_resources};
use model::{LaunchRecord, Measure, OBSERVATIONS_FILE, ResourceSample, ResourceSubject, Usage};
use serde_json::Value;

/// Stamps as they are when counted since 1970: a reader that turns them into floating-point numbers loses digits.
const EPOCH_NS: i64 = 1_795_000_000_000_000_001;
const ROWS: u32 = 5_000;

fn observation(index: u32) -> Observation {
    let start_ns = EPOCH_NS + i64::from(index) * 25_001;
    let stamp = |offset: i64| NonZeroI64::new(start_ns + offset);
    Observation {
        round: index / 2,
        position: (index % 2) as u16,
        arm: (index % 2) as u16,
        sequence: index / 2,
        connection: 0,
        request: 0,
        step: None,
        load_level_permille: None,
        block: index.is_multiple_of(3).then_some(index),
        intended_arrival_ns: start_ns,
        user_send_ns: start_ns + 1,
        kernel_tx_ns: stamp(1_003).filter(|_| !index.is_multiple_of(7)),
        kernel_rx_ns: stamp(17_007 + i64::from(index % 13)),
        user_receive_ns: start_ns + 20_011 + i64::from(index % 5),
        outcome: RequestOutcome::ALL[index as usize % RequestOutcome::ALL.len()],
        http_status: 200,
        bytes: index,
        warm_up: index < 10,
    }
}

/// A Python with all three readers.
fn python() -> Option<OsString> {
    let chosen = std::env::var_os("READERS_PYTHON");
    let python = chosen.clone().unwrap_or_else(|| "python3".into());
    let modules = Command::new(&python)
        .args(["-c", "import duckdb, pandas, polars, pyarrow"])
        .output();
    if modules.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(
        chosen.is_none(),
        "READERS_PYTHON lacks a module of dataset/tests/requirements.txt"
    );
    println!("SKIPPED: readers: python3 lacks a module of dataset/tests/requirements.txt; set READERS_PYTHON");
    None
}

/// Returns the JSON lines that a script prints about a file: one for each of the three readers.
fn told(python: &OsStr, script: &str, path: &Path) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
    let output = Command::new(python).arg(script).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), 3, "{text}");
    told
}

#[test]
fn resources_are_read_the_same() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("resources.parquet");
    let samples: Vec<ResourceSample> = (0..100)
        .map(|number| {
            let mut usage = Usage::default();
            usage[Measure::CpuNs] = (number % 3 > 0).then_some(EPOCH_NS + number);
            usage[Measure::MemoryBytes] = Some(EPOCH_NS - number);
            usage[Measure::Threads] = Some(number);
            ResourceSample {
                time_ns: EPOCH_NS + number,
                subject: if number % 2 == 0 {
                    ResourceSubject::Arm("scan".to_owned())
                } else {
                    ResourceSubject::Loadgen
                },
                usage,
            }
        })
        .collect();
    let header = FileHeader {
        run: "run".to_owned(),
        condition: "local-pod".to_owned(),
        launch: 0,
        arms: vec!["scan".to_owned()],
    };
    write_resources(&path, &header, &samples).unwrap();
    for told in told(&python, "resources.py", &path) {
        assert_eq!(told["values"], serde_json::json!([100, 34, 2_450, EPOCH_NS]), "{told}");
        assert_eq!(told["columns"].as_array().unwrap().len(), 6 + Measure::ALL.len());
    }
}

#[test]
fn duckdb_pandas_and_polars_read_the_same() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Observation> = (0..ROWS).map(observation).collect();
    // Two launches in two conditions, each with a part of the rows, as a run has them.
    for (condition, launch, rows) in [("docker", 0, &rows[..2_000]), ("local-pod", 1, &rows[2_000..])] {
        let unfinished = UnfinishedLaunch::begin(folder.path(), condition, launch).unwrap();
        let header = FileHeader {
            run: "run".to_owned(),
            condition: condition.to_owned(),
            launch,
            arms: vec!["unmodified".to_owned(), "scan".to_owned()],
        };
        let mut writer = ObservationWriter::create(&unfinished.path().join(OBSERVATIONS_FILE), header).unwrap();
        writer.write(rows).unwrap();
        writer.finish().unwrap();
        unfinished
            .finish(&LaunchRecord::of_observations(condition, launch))
            .unwrap();
    }
    let path = folder.path().join("*/*").join(OBSERVATIONS_FILE);

    let sum = |value: fn(&Observation) -> i64| rows.iter().map(value).sum::<i64>();
    let expected = [
        i64::from(ROWS),
        sum(Observation::rtt_ns),
        sum(|row| row.wire_ns().unwrap_or(0)),
        sum(|row| i64::from(row.kernel_tx_ns.is_none())),
        rows[rows.len() - 1].user_receive_ns,
        sum(|row| i64::from(row.outcome == RequestOutcome::Answered)),
        // Rows of launch 1, and rows with a block.
        i64::from(ROWS) - 2_000,
        sum(|row| i64::from(row.block.is_some())),
    ];
    for told in told(&python, "readers.py", &path) {
        assert_eq!(told["values"], serde_json::json!(expected), "{told}");
        documented(&told["columns"]);
    }
}

/// The data dictionary's first table has a row for each column, and for nothing else.
fn documented(columns: &Value) {
    let dictionary = include_str!("../README.md");
    let rows = dictionary
        .lines()
        .skip_while(|line| !line.starts_with("| `"))
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let names: Vec<&str> = rows.map(|(name, _)| name).collect();
    let columns: Vec<&str> = columns.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(names, columns);
}
