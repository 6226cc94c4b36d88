//! `report html`: one page without references to other files.

use std::fs;

use crate::made_up_run::{ARMS, write};
use crate::program::{failure, output, report};

#[test]
fn the_page_is_complete_and_self_contained() {
    let folder = tempfile::tempdir().unwrap();
    let (run, out) = (folder.path().join("run"), folder.path().join("out"));
    write(&run, &ARMS, true);
    let mut command = report();
    command
        .args(["html", "--study", "nowhere", "--run"])
        .arg(&run)
        .arg("--out")
        .arg(&out);
    let said = output(&mut command);
    assert!(said.contains("index.html") && said.contains("again with: "), "{said}");

    let page = fs::read_to_string(out.join("index.html")).unwrap();
    for expected in [
        "+0.70 [",
        "error at most 0.0",
        "exploratory",
        "Measured on <strong>0cpu</strong>",
        "Machine: 0cpu.",
        "no &lt;permission&gt;",
        "not imported",
        "bench run",
        "<svg",
        "supported",
        "10. Conduct experiments in differently configured environments.",
        "no data: measure r10",
        "P1 Repeated experiments",
        "launches of fresh processes: 10 in local-pod",
        "the manifest does not say: processor",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    // Nothing is loaded from elsewhere.
    for outside in ["src=\"http", "href=\"http", "url(http", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let results: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["run"]["conditions"][0]["launches"], 10);
    assert_eq!(results["claims"]["recommendations"].as_array().unwrap().len(), 10);
    assert_eq!(results["claims"]["misses"][0]["missed"]["trials"], 1);
    let status = |name: &str| {
        let items = results["checklist"].as_array().unwrap();
        let item = items
            .iter()
            .find(|item| item["name"].as_str().unwrap().starts_with(name));
        item.unwrap()["status"].clone()
    };
    // Ten launches, intervals and controls are there; what the machine was is not, and one condition did not run.
    for (name, expected) in [
        ("P1", "met"),
        ("P2", "not_met"),
        ("P3", "not_met"),
        ("P5", "met"),
        ("P6", "met"),
    ] {
        assert_eq!(status(name), expected, "{name}");
    }
    let figures: Vec<_> = fs::read_dir(out.join("figures")).unwrap().flatten().collect();
    assert!(figures.len() >= 4, "{figures:?}");
    for figure in figures {
        assert!(figure.metadata().unwrap().len() > 1_000, "{figure:?}");
    }
    // The same data give the same bytes.
    let bytes = fs::read(out.join("index.html")).unwrap();
    output(&mut command);
    assert_eq!(fs::read(out.join("index.html")).unwrap(), bytes);
}

#[test]
fn a_page_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    write(&run, &ARMS, true);
    let out = folder.path().join("file");
    fs::write(&out, "in the way").unwrap();
    let error = failure(report().args(["html", "--run"]).arg(&run).arg("--out").arg(&out));
    assert!(
        error.contains("cannot make the folder") && error.contains("file"),
        "{error}"
    );
    let error = failure(report().args(["figures", "--study", "nowhere", "--out"]).arg(&out));
    assert!(error.contains("nothing to draw: name a run by --run"), "{error}");
}
