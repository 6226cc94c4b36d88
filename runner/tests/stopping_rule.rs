//! Runs that end when they reach the wanted precision, or when their time budget is used.

use crate::common::{Desk, SMALL, failure, success};
use dataset::Run;

#[test]
fn a_run_ends_when_its_intervals_are_narrow_enough_and_not_before_ten_launches() {
    let desk = Desk::new();
    success(desk.run(SMALL).args(["--conditions", "local-pod", "--precision", "1s"]));
    let run = Run::open(&desk.path("run")).unwrap();
    assert_eq!(run.manifest.launches.len(), 10);
    let note = &run.manifest.notes[0];
    assert!(note.contains("were reached after 10 launches"), "{note}");
    assert_eq!(run.manifest.plan.unwrap().precision_ns, Some(1e9));

    // What cannot be reached ends with the number of launches.
    let desk = Desk::new();
    success(desk.run(SMALL).args([
        "--conditions",
        "local-pod",
        "--precision",
        "0.001ns",
        "--launches",
        "11",
    ]));
    let run = Run::open(&desk.path("run")).unwrap();
    assert_eq!((run.manifest.launches.len(), run.manifest.notes.len()), (11, 0));
}

#[test]
fn a_spent_budget_ends_a_run_between_launches() {
    let desk = Desk::new();
    success(desk.run(SMALL).args(["--budget", "1ms", "--conditions", "local-pod"]));
    let run = Run::open(&desk.path("run")).unwrap();
    assert_eq!(run.manifest.launches.len(), 1);
    assert!(
        run.manifest.notes[0].contains("was spent after 1 launches"),
        "{:?}",
        run.manifest.notes
    );
    for (flag, value, word) in [
        ("--precision", "5", "a unit"),
        ("--budget", "-1s", "above 0"),
        ("--budget", "xs", ""),
    ] {
        let error = failure(desk.run(SMALL).arg(format!("{flag}={value}")));
        assert!(error.contains(flag) && error.contains(word), "{error}");
    }
}
