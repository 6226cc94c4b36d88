//! Runs as a user checks and imports them.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use model::MANIFEST_VERSION;
use serde_json::Value;

fn dataset() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("dataset"))
}

fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "expected a failure");
    String::from_utf8(output.stderr).unwrap()
}

/// The study's recordings are not part of the repository.
fn recordings() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/ssp2023");
    let folder = std::env::var_os("SSP2023_DIR").map_or(beside, PathBuf::from);
    let found = folder.join("words.txt").exists();
    if !found {
        println!("SKIPPED: ssp2023: set SSP2023_DIR to a folder with the study's recordings and words.txt");
    }
    found.then_some(folder)
}

#[test]
fn the_committed_json_schema_is_current() {
    let output = dataset().arg("schema").output().unwrap();
    let committed = include_str!("../manifest.schema.json");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        committed,
        "run: cargo run -p dataset -- schema > dataset/manifest.schema.json"
    );
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The RO-Crate has the manifest's files, with their lengths and checksums, and says when they were made.
fn describes_every_file(crate_: &Value, manifest: &Value) {
    let entities = crate_["@graph"].as_array().unwrap();
    let entity = |id: &str| {
        let found = entities.iter().find(|entity| entity["@id"] == id);
        found.unwrap_or_else(|| panic!("no entity {id}"))
    };
    for file in manifest["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        assert_eq!(entity(path)["sha256"], file["sha256"]);
        assert_eq!(entity(path)["contentSize"], file["bytes"].to_string());
        let part = serde_json::json!({ "@id": path });
        assert!(
            entity("./")["hasPart"].as_array().unwrap().contains(&part),
            "{path} is no part"
        );
    }
    let made = entity("#measurement")["endTime"].as_str().unwrap();
    assert!(made.starts_with("20") && made.ends_with('Z'), "{made}");
}

#[test]
fn the_study_is_imported_checked_and_its_damage_named() {
    let Some(from) = recordings() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ssp2023");
    dataset()
        .args(["import", "ssp2023", "--from"])
        .arg(&from)
        .arg("--out")
        .arg(&out)
        .assert()
        .success();
    let output = dataset().arg("check").arg(&out).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("4 launches, 400000 observations, 9 files as recorded"),
        "{text}"
    );
    let damaged: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("9 rows lost, the cold start among them"))
        .collect();
    assert_eq!(damaged.len(), 2, "{text}");
    assert!(
        damaged[0].starts_with("docker hook") && damaged[1].starts_with("eks-nodes hook"),
        "{text}"
    );
    let manifest = json(&out.join("manifest.json"));
    describes_every_file(&json(&out.join("ro-crate-metadata.json")), &manifest);
    let schema: Value = serde_json::from_str(include_str!("../manifest.schema.json")).unwrap();
    assert!(
        jsonschema::is_valid(&schema, &manifest),
        "the manifest does not follow its schema"
    );

    let parquet = out.join("kind/0000/observations.parquet");
    let mut bytes = fs::read(&parquet).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&parquet, bytes).unwrap();
    let error = failure(dataset().arg("check").arg(&out));
    assert!(error.contains("kind/0000/observations.parquet: SHA-256 is"), "{error}");

    let manifest = out.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let version = |number: u32| format!("\"schema_version\": {number}");
    fs::write(&manifest, text.replace(&version(MANIFEST_VERSION), &version(99))).unwrap();
    let error = failure(dataset().arg("check").arg(&out));
    let expected = format!("schema_version 99; expected schema_version {MANIFEST_VERSION}");
    assert!(error.contains(&expected), "{error}");
    fs::write(&manifest, text.replace("\"run_id\"", "\"colour\": 1, \"run_id\"")).unwrap();
    let error = failure(dataset().arg("check").arg(&out));
    assert!(
        error.contains("unknown field `colour`") && error.contains("line 3"),
        "{error}"
    );
}

#[test]
fn recordings_that_are_missing_or_changed_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let import = |from: &Path| {
        failure(
            dataset()
                .args(["import", "ssp2023", "--from"])
                .arg(from)
                .arg("--out")
                .arg(&out),
        )
    };
    let error = import(folder.path());
    assert!(
        error.contains("docker-without-hook") && error.contains("is not there"),
        "{error}"
    );
    fs::write(
        folder
            .path()
            .join("docker-without-hook-benchmark_15-30-06_1691767806057.csv"),
        "start_time\n",
    )
    .unwrap();
    assert!(import(folder.path()).contains("SHA-256 is"));
    assert!(!out.join("manifest.json").exists());
}
