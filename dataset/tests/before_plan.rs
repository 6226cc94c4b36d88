//! Recordings that were made before a plan was registered, as the repository holds them.

use std::fs;
use std::path::{Path, PathBuf};

use dataset::{ObservationReader, RequestOutcome, Run};
use model::LoadCheckKind;

fn recorded(run: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../data/reference/before-plan")
        .join(run)
}

/// The folders below `folder` that hold a manifest.
fn recorded_runs(folder: &Path) -> Vec<PathBuf> {
    if folder.join("manifest.json").exists() {
        return vec![folder.to_owned()];
    }
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_dir())
        .flat_map(|path| recorded_runs(&path))
        .collect()
}

#[test]
fn a_recorded_run_is_read_as_todays_types() {
    let run = Run::open(&recorded("overhead")).unwrap();
    let manifest = &run.manifest;
    assert_eq!(
        (manifest.schema_version, manifest.launches.len()),
        (model::MANIFEST_VERSION, 160)
    );
    let revision = manifest.revision.as_ref().unwrap();
    assert_eq!((revision.commit.len(), revision.tree_clean), (40, true));
    assert_eq!(manifest.machine.id(), "intel-xeon-unknown-2cpu");
    let launch = &manifest.launches[0];
    let summary = launch.loadgen.as_ref().unwrap();
    assert_eq!(summary.requests_sent["log"], 340);
    let first_check = summary.checks.first().unwrap();
    assert_eq!(first_check.kind, LoadCheckKind::LittlesLaw);

    let reader = ObservationReader::open(&run.directory.join(&launch.files.observations)).unwrap();
    assert_eq!(
        (reader.rows(), reader.header().condition.as_str()),
        (2_380, "local-pod")
    );
    let mut answered = 0;
    reader
        .for_each(|row| {
            answered += u32::from(row.outcome == RequestOutcome::Answered);
            assert_eq!((row.step, row.load_level_permille, row.block), (None, None, None));
        })
        .unwrap();
    assert_eq!(answered, 2_380);
    let mut rows = 0;
    reader.for_each_timings(|timings| rows += timings.len()).unwrap();
    assert_eq!(rows, 2_380);
}

#[test]
fn every_recorded_run_keeps_its_warnings() {
    for directory in recorded_runs(&recorded("")) {
        let run = Run::open(&directory).unwrap();
        assert!(run.manifest.plan.is_some(), "{}", directory.display());
        let text = fs::read_to_string(directory.join("manifest.json")).unwrap();
        let old: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (launch, old) in run.manifest.launches.iter().zip(old["launches"].as_array().unwrap()) {
            let mut said: Vec<String> = launch.warnings().iter().map(ToString::to_string).collect();
            let warnings = old["warnings"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|text| text.as_str());
            let mut warnings: Vec<String> = warnings.map(str::to_owned).collect();
            said.sort();
            warnings.sort();
            assert_eq!(said, warnings, "launch {} of {}", launch.launch, launch.condition);
            assert_eq!(launch.anomalies, [], "every warning follows from a field");
        }
    }
}

#[test]
fn an_unknown_field_of_an_old_manifest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(recorded("r09").join("manifest.json")).unwrap();
    for (known, unknown) in [
        ("\"kept_awake\"", "\"kept_asleep\""),
        ("\"stamped_share\"", "\"stamp_share\""),
    ] {
        fs::write(folder.path().join("manifest.json"), text.replacen(known, unknown, 1)).unwrap();
        let error = Run::open(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("unknown field `{}`", unknown.trim_matches('"'))),
            "{error}"
        );
    }
}
