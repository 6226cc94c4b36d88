//! The table of the hook's calls: writing, reading back, and errors of invalid files.

use dataset::{FileHeader, ObservationWriter, ROW_GROUP_ROWS, read_hook_calls, write_hook_calls};
use readhook_telemetry::{FUNCTIONS, Record};

fn header() -> FileHeader {
    FileHeader {
        run: "run".to_owned(),
        condition: "local-pod".to_owned(),
        launch: 3,
        arms: vec!["scan".to_owned(), "delay".to_owned()],
    }
}

fn record(number: u32) -> Record {
    Record {
        sequence: number.into(),
        start_ns: u64::MAX - u64::from(number),
        real_ns: u32::MAX - number,
        own_ns: number,
        spun_ns: 5_000,
        bytes: 133,
        fd: 7,
        thread: u32::MAX,
        function: (number % FUNCTIONS.len() as u32) as u8,
        verdict: (number % 4) as u8,
    }
}

#[test]
fn calls_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.parquet");
    let count = ROW_GROUP_ROWS as u32 + 100;
    let calls: Vec<(usize, Record)> = (0..count)
        .map(|number| ((number % 2) as usize, record(number)))
        .collect();
    write_hook_calls(&path, &header(), &calls).unwrap();
    let found = read_hook_calls(&path).unwrap();
    assert_eq!(found.len(), calls.len());
    for ((arm, call), (index, expected)) in found.iter().zip(&calls) {
        assert_eq!((arm, call), (&header().arms[*index], expected));
    }
}

#[test]
fn another_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("observations.parquet");
    ObservationWriter::create(&path, header()).unwrap().finish().unwrap();
    let error = read_hook_calls(&path).unwrap_err().to_string();
    assert!(error.contains("hook-latency-hook-calls"), "{error}");
    std::fs::write(&path, "no parquet").unwrap();
    assert!(read_hook_calls(&path).is_err());
}
