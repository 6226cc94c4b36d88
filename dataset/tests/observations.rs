//! Files of observations: writing, reading back, and errors of invalid files.

use std::fs;
use std::num::NonZeroI64;
use std::path::Path;

use dataset::{FileHeader, Observation, ObservationReader, ObservationWriter, ROW_GROUP_ROWS, RequestOutcome};

fn header() -> FileHeader {
    FileHeader {
        run: "run".to_owned(),
        condition: "local-pod".to_owned(),
        launch: 7,
        arms: vec!["unmodified".to_owned(), "scan".to_owned()],
    }
}

fn observation(index: u32) -> Observation {
    let stamp = |offset: i64| NonZeroI64::new(1_000_000 + i64::from(index) * 25_000 + offset);
    Observation {
        round: index / 2,
        position: u16::try_from(index % 2).unwrap(),
        arm: u16::try_from(1 - index % 2).unwrap(),
        sequence: index / 2,
        connection: (index % 3) as u16,
        request: (index % 2) as u16,
        // The new columns have gaps, too.
        step: (index.is_multiple_of(4)).then_some((index % 5) as u16),
        load_level_permille: (!index.is_multiple_of(4)).then_some(900),
        block: (index > 100).then_some(index / 100),
        intended_arrival_ns: i64::from(index) * 25_000,
        user_send_ns: i64::from(index) * 25_000 + 3,
        // Every third observation lacks a stamp, so that the optional columns have gaps.
        kernel_tx_ns: stamp(10).filter(|_| !index.is_multiple_of(3)),
        kernel_rx_ns: stamp(20_000),
        user_receive_ns: i64::from(index) * 25_000 + 24_000,
        outcome: RequestOutcome::ALL[index as usize % RequestOutcome::ALL.len()],
        http_status: if index.is_multiple_of(5) { 500 } else { 200 },
        bytes: index,
        warm_up: index < 10,
    }
}

fn write(path: &Path, rows: &[Observation]) {
    let mut writer = ObservationWriter::create(path, header()).unwrap();
    writer.write(rows).unwrap();
    writer.finish().unwrap();
}

#[test]
fn rows_come_back_as_they_were_written_over_several_row_groups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let rows: Vec<Observation> = (0..u32::try_from(ROW_GROUP_ROWS).unwrap() + 1_000)
        .map(observation)
        .collect();
    write(&path, &rows);
    let reader = ObservationReader::open(&path).unwrap();
    assert_eq!(reader.header(), &header());
    assert_eq!(reader.rows(), rows.len() as u64);
    let mut found = Vec::new();
    reader.for_each(|row| found.push(*row)).unwrap();
    assert!(found == rows, "rows differ");
}

#[test]
fn a_file_that_is_not_finished_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = ObservationWriter::create(&folder.path().join("a.parquet"), header()).unwrap();
    writer.write(&[observation(1)]).unwrap();
    drop(writer);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_row_with_an_unknown_arm_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = ObservationWriter::create(&folder.path().join("a.parquet"), header()).unwrap();
    let error = writer
        .write(&[Observation {
            arm: 2,
            ..observation(1)
        }])
        .unwrap_err();
    assert!(error.to_string().contains("arm 2 is not one of the 2 arms"), "{error}");
}

#[test]
fn a_file_cut_at_any_place_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, &(0..500).map(observation).collect::<Vec<_>>());
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(whole.len() / 40) {
        fs::write(&path, &whole[..length]).unwrap();
        let error = ObservationReader::open(&path)
            .and_then(|reader| reader.for_each(|_| ()))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("a.parquet") && error.contains("cut short"),
            "at {length}: {error}"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_said_so() {
    let error = ObservationWriter::create(Path::new("/nowhere/a.parquet"), header()).unwrap_err();
    assert!(
        error.to_string().contains("cannot create /nowhere/a.parquet"),
        "{error}"
    );
}
