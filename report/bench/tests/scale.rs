//! `report-bench scale` in small: what it writes is a run like any other, and is gone afterwards.

use std::process::Command;

fn scale() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("report-bench"));
    command.arg("scale");
    command
}

#[test]
fn a_small_run_is_made_up_analysed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("made-up");
    let mut command = scale();
    command
        .args(["--rows", "100000", "--repetitions", "2", "--folder"])
        .arg(&run);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    // 12 launches of 7 arms divide it up.
    assert!(
        said.contains("99960 observations in 12 launches, 2 repetitions"),
        "{said}"
    );
    assert!(
        said.contains("one processor and all of them: the same results"),
        "{said}"
    );
    assert!(!run.exists());
}

#[test]
fn a_measured_run_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let kept = |experiment: &str| {
        let run = folder.path().join(experiment);
        let output = scale()
            .args(["--rows", "100000", "--repetitions", "2", "--keep", "--folder"])
            .arg(&run)
            .output();
        assert!(output.unwrap().status.success());
        let manifest = run.join("manifest.json");
        let text = std::fs::read_to_string(&manifest).unwrap();
        let text = text.replace(
            "\"experiment\": \"made-up\"",
            &format!("\"experiment\": \"{experiment}\""),
        );
        std::fs::write(&manifest, text).unwrap();
        run
    };
    let run = kept("overhead");
    let output = scale()
        .args(["--repetitions", "2", "--folder"])
        .arg(&run)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("holds a measured run; choose another --folder"), "{said}");
    assert!(run.join("manifest.json").exists());
    let output = scale()
        .args(["--repetitions", "1", "--folder"])
        .arg(&run)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("a spread takes at least 2"));
}
