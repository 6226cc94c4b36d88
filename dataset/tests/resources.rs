//! Samples of resources as they are written, read back and refused.

use dataset::{FileHeader, read_resources, write_resources};
use model::{Measure, ResourceSample, ResourceSubject, Usage};

fn header() -> FileHeader {
    FileHeader {
        run: "run".to_owned(),
        condition: "local-pod".to_owned(),
        launch: 3,
        arms: vec!["scan".to_owned()],
    }
}

/// Each column has a value in some row and none in another.
fn samples() -> Vec<ResourceSample> {
    let subjects = [
        ResourceSubject::Arm("scan".to_owned()),
        ResourceSubject::Loadgen,
        ResourceSubject::Neighbour,
        ResourceSubject::Helper("strace".to_owned()),
        ResourceSubject::Node("node1".to_owned()),
    ];
    (0..200)
        .map(|number| {
            let mut usage = Usage::default();
            for (measure, index) in Measure::ALL.iter().copied().zip(0..) {
                usage[measure] = (number % (index + 2) > 0).then_some(i64::MAX - number * 100 - index);
            }
            ResourceSample {
                time_ns: number * 100_000_000,
                subject: subjects[usize::try_from(number).unwrap() % subjects.len()].clone(),
                usage,
            }
        })
        .collect()
}

#[test]
fn samples_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("resources.parquet");
    write_resources(&path, &header(), &samples()).unwrap();
    assert_eq!(read_resources(&path).unwrap(), samples());
    write_resources(&path, &header(), &[]).unwrap();
    assert_eq!(read_resources(&path).unwrap(), []);
}

#[test]
fn columns_are_those_of_the_dictionary() {
    let dictionary = include_str!("../README.md");
    for &measure in Measure::ALL {
        let row = format!("| `{}` | int64, may be null |", measure.column());
        assert!(dictionary.contains(&row), "{row}");
    }
}

#[test]
fn another_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.parquet");
    dataset::write_hook_calls(&path, &header(), &[]).unwrap();
    let error = read_resources(&path).unwrap_err().to_string();
    assert!(error.contains("hook-latency-resources"), "{error}");
}
