//! Exhibits and claims of made-up grids: figures, tables and verdicts follow from the data.

use std::path::Path;

use serde_json::json;

use crate::grids::{AS_IT_IS, Change, RecordedCell, contrast, exhibit, grid, slower};
use crate::made_up_run::{ARMS, Arm, LAUNCHES, SEGMENT_ROUNDS, change_manifest, write_launches};
use crate::program::{failure, report, verdict as verdict_of};

#[test]
fn a_proxy_is_held_against_the_hook() {
    let folder = tempfile::tempdir().unwrap();
    let (dear, cheap) = (folder.path().join("dear"), folder.path().join("cheap"));
    grid(
        &dear,
        "r03",
        &[
            (&[("proxies", "none")], AS_IT_IS),
            (&[("proxies", "one")], |arm| slower(arm, 30_000)),
        ],
    );
    let (verdict, text) = verdict_of(&dear, "r03-cost");
    assert_eq!(verdict, "supported", "{text}");
    assert!(text.contains("supported: local-pod (proxies: one) 15.0"), "{text}");
    let (table, figure) = exhibit(&dear);
    assert!(
        table.contains("r03: What does it cost?") && table.contains("30.00 ["),
        "{table}"
    );
    grid(
        &cheap,
        "r03",
        &[
            (&[("proxies", "none")], AS_IT_IS),
            (&[("proxies", "one")], |arm| slower(arm, 500)),
        ],
    );
    assert_eq!(verdict_of(&cheap, "r03-cost").0, "not_supported");
    assert_ne!(exhibit(&cheap).1, figure);
}

#[test]
fn a_program_that_differs_from_itself_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let cells = |disturbed: Change| -> [RecordedCell<'_>; 4] {
        [
            (&[("neighbour", "none"), ("design", "interleaved")], AS_IT_IS),
            (&[("neighbour", "none"), ("design", "sequential")], AS_IT_IS),
            (&[("neighbour", "CPU 50 %"), ("design", "interleaved")], AS_IT_IS),
            (&[("neighbour", "CPU 50 %"), ("design", "sequential")], disturbed),
        ]
    };
    let (still, disturbed) = (folder.path().join("still"), folder.path().join("disturbed"));
    grid(&still, "r04", &cells(AS_IT_IS));
    assert_ne!(verdict_of(&still, "r04-false-positives").0, "supported");
    grid(
        &disturbed,
        "r04",
        &cells(|arm| {
            if arm.name == "control" {
                slower(arm, 1_000);
            }
        }),
    );
    let (verdict, text) = verdict_of(&disturbed, "r04-false-positives");
    assert_eq!(verdict, "supported", "{text}");
    let table = exhibit(&disturbed).0;
    assert!(
        table.contains(&format!("{LAUNCHES} of {LAUNCHES}")) && table.contains(&format!("0 of {LAUNCHES}")),
        "{table}"
    );
}

#[test]
fn the_place_of_the_keyword_counts_in_the_largest_payload() {
    let folder = tempfile::tempdir().unwrap();
    let cells = |far: Change| -> [RecordedCell<'_>; 4] {
        [
            (&[("payload", "small"), ("keyword", "beginning")], AS_IT_IS),
            (&[("payload", "small"), ("keyword", "end")], AS_IT_IS),
            (&[("payload", "large"), ("keyword", "beginning")], AS_IT_IS),
            (&[("payload", "large"), ("keyword", "end")], far),
        ]
    };
    let (flat, steep) = (folder.path().join("flat"), folder.path().join("steep"));
    grid(&flat, "r07", &cells(AS_IT_IS));
    assert_eq!(verdict_of(&flat, "r07-position").0, "inconclusive");
    let dearer: Change = |arm| {
        if arm.name == "log" {
            slower(arm, 400);
        }
    };
    grid(&steep, "r07", &cells(dearer));
    let (verdict, text) = verdict_of(&steep, "r07-position");
    assert!(verdict == "supported" && text.contains("0.40 ["), "{text}");
    assert_ne!(exhibit(&flat), exhibit(&steep));
}

#[test]
fn what_stamps_cost_stands_beside_what_they_show() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |name: &str, change: Change| {
        let run = folder.path().join(name);
        grid(&run, "r05", &[(&[], change)]);
        change_manifest(&run.join("cell-0"), |manifest| {
            contrast(manifest, "stamping", ("without stamps", "unmodified"));
            for launch in manifest["launches"].as_array_mut().unwrap() {
                for arm in launch["arms"].as_array_mut().unwrap() {
                    if arm["arm"] != "without stamps" {
                        arm["server"] =
                            json!({"call_ns_median": 1e3, "handler_ns_median": 8e3, "records": 100, "dropped": 0});
                    }
                }
            }
        });
        exhibit(&run).0
    };
    let free = shown("free", AS_IT_IS);
    assert!(
        free.contains("+0.00 [") && free.contains("whose interval contains zero"),
        "{free}"
    );
    let dear = shown("dear", |arm| {
        if arm.name == "without stamps" {
            slower(arm, -500);
        }
    });
    // Of 2 µs that the hook costs.
    assert!(
        dear.contains("+0.50 [") && dear.contains("25 % of the cost of the hook"),
        "{dear}"
    );
}

#[test]
fn what_limits_do_is_told_from_the_launches_that_hit_them() {
    let folder = tempfile::tempdir().unwrap();
    grid(
        folder.path(),
        "r08",
        &[
            (&[("limit", "none")], AS_IT_IS),
            (&[("limit", "20 %")], |arm| {
                slower(arm, if arm.name == "log" { 60_000 } else { 40_000 });
            }),
        ],
    );
    // Without a limit that was hit there is nothing to tell.
    assert_eq!(verdict_of(folder.path(), "r08-tail").0, "not_run");
    change_manifest(&folder.path().join("cell-1"), |manifest| {
        for launch in manifest["launches"].as_array_mut().unwrap() {
            launch["limit_hits"] = json!([{
                "subject": "log", "kind": "throttled", "count": 1, "limit": null,
                "throttling": {"periods": 2, "waited_ns": 3_000_000},
            }]);
        }
    });
    let (verdict, text) = verdict_of(folder.path(), "r08-tail");
    assert_eq!(verdict, "supported", "{text}");
    let (verdict, text) = verdict_of(folder.path(), "r08-effect");
    assert!(verdict == "supported" && text.contains("20.00 ["), "{text}");
}

/// The last two rows, and the notes, of launches of which each takes 0.3 s around its rounds, and each round 1 ms.
fn planned(folder: &Path, launch_ns: i64, segment_ns: i64) -> String {
    let mut arms = ARMS.to_vec();
    arms[1] = Arm {
        launch_ns,
        segment_ns,
        ..arms[1]
    };
    write_launches(folder, &arms, true, 20);
    change_manifest(folder, |manifest| {
        manifest["experiment"] = "r09".into();
        manifest["plan"]["exhibit"] = "power".into();
        for (key, value) in [
            ("rounds", 101),
            ("warm_up_rounds", 1),
            ("segment_rounds", SEGMENT_ROUNDS),
        ] {
            manifest["plan"]["load"][key] = value.into();
        }
        manifest["finished_unix_ns"] = 8_020_000_000_i64.into();
        for launch in manifest["launches"].as_array_mut().unwrap() {
            launch["loadgen"]["elapsed_s"] = 0.101.into();
        }
    });
    exhibit(folder).0
}

#[test]
fn what_spreads_more_decides_what_to_buy() {
    let folder = tempfile::tempdir().unwrap();
    let alike = planned(&folder.path().join("alike"), 5, 100);
    let apart = planned(&folder.path().join("apart"), 100, 5);
    let row = |table: &str, name: &str| {
        let found = table.lines().find(|line| line.starts_with(name)).unwrap();
        found.to_owned()
    };
    for table in [&alike, &apart] {
        assert!(
            table.contains("costs 0.301 s around its measured rounds and 1000.0 µs"),
            "{table}"
        );
        assert!(table.contains("20 launches of 100 rounds"), "{table}");
    }
    // Segments that differ by 110 ns, as segments of five and four do.
    assert!(row(&alike, "SD between segments").contains("0.110 ["), "{alike}");
    assert!(row(&alike, "SD between launches").contains("0.000 ["), "{alike}");
    assert!(row(&apart, "SD between launches").contains("0.108 ["), "{apart}");
    assert!(alike.contains("launches of 1000 rounds, the most that"), "{alike}");
    assert!(apart.contains("launches of 25 rounds, the fewest that"), "{apart}");
    // Twice the precision of launches that differ takes nearly four times as many.
    assert!(
        row(&apart, "Twice as precise").contains("73 launches of 25 rounds"),
        "{apart}"
    );
}

#[test]
fn environments_that_differ_are_heterogeneous() {
    let folder = tempfile::tempdir().unwrap();
    let (alike, other) = (folder.path().join("alike"), folder.path().join("other"));
    let three = |third: Change| -> [RecordedCell<'_>; 3] {
        [
            (&[("server", "one")], AS_IT_IS),
            (&[("server", "two")], AS_IT_IS),
            (&[("server", "three")], third),
        ]
    };
    grid(&alike, "r10", &three(AS_IT_IS));
    assert_ne!(verdict_of(&alike, "r10-heterogeneity").0, "supported");
    let dearer: Change = |arm| {
        if arm.name == "log" {
            slower(arm, 3_000);
        }
    };
    grid(&other, "r10", &three(dearer));
    assert_eq!(verdict_of(&other, "r10-heterogeneity").0, "supported");
    let table = exhibit(&other).0;
    assert!(
        table.contains("three, local-pod") && table.contains("mean over all cells"),
        "{table}"
    );
}

#[test]
fn modes_that_differ_by_environment_interact() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |name: &str, third: Change| {
        let run = folder.path().join(name);
        let servers = ["one", "two", "three"].map(|server| [("server", server)]);
        let changes = [AS_IT_IS, AS_IT_IS, third];
        let cells: Vec<RecordedCell<'_>> = servers
            .iter()
            .zip(changes)
            .map(|(levels, change)| (&levels[..], change))
            .collect();
        grid(&run, "r10", &cells);
        for cell in 0..3 {
            change_manifest(&run.join(format!("cell-{cell}")), |manifest| {
                contrast(manifest, "as in 2023", ("unmodified", "upstream"));
            });
        }
        exhibit(&run)
    };
    let (alike, _) = shown("alike", AS_IT_IS);
    assert!(alike.contains("all of it less as in 2023, µs"), "{alike}");
    // All modes cost as much more there, so that the cost depends on the environment, and their difference does not.
    let (shifted, figure) = shown("shifted", |arm| {
        if ["scan", "log", "upstream"].contains(&arm.name) {
            slower(arm, 3_000);
        }
    });
    let free = "The difference \"all of it less searching\" is not shown to depend on the environment: its \
                standard deviation between 3 environments is 0.00 µs";
    assert!(alike.contains(free) && shifted.contains(free), "{shifted}");
    let (crossed, other) = shown("crossed", |arm| {
        if arm.name == "log" {
            slower(arm, 3_000);
        }
    });
    assert!(
        crossed.contains("The difference \"all of it less searching\" depends on the environment"),
        "{crossed}"
    );
    // The figure is of all of the hook, which is the same in both.
    assert_eq!(figure, other);
}

#[test]
fn one_mode_alone_has_no_interaction() {
    let folder = tempfile::tempdir().unwrap();
    grid(
        folder.path(),
        "r10",
        &[(&[("server", "one")], AS_IT_IS), (&[("server", "two")], AS_IT_IS)],
    );
    for cell in ["cell-0", "cell-1"] {
        change_manifest(&folder.path().join(cell), |manifest| {
            let contrasts = manifest["plan"]["contrasts"].as_array_mut().unwrap();
            contrasts.retain(|contrast| contrast["name"] != "searching");
        });
    }
    let (table, _) = exhibit(folder.path());
    assert!(
        table.contains("Only one mode of the hook") && !table.contains(" less "),
        "{table}"
    );
}

#[test]
fn what_has_no_exhibit_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    grid(folder.path(), "another", &[(&[("a", "b")], AS_IT_IS)]);
    let said = failure(report().arg("exhibit").arg("--run").arg(folder.path()));
    assert!(
        said.contains("experiment another names no exhibit") && said.contains("whose definition has `exhibit = "),
        "{said}"
    );
    let folder = tempfile::tempdir().unwrap();
    grid(folder.path(), "r04", &[(&[("a", "b")], AS_IT_IS)]);
    let said = failure(report().arg("exhibit").arg("--run").arg(folder.path()));
    assert!(said.contains("no factors neighbour and design"), "{said}");
    // A cell whose file is gone is an error, and no figure with a gap.
    std::fs::remove_file(folder.path().join("cell-0/local-pod/0003/observations.parquet")).unwrap();
    assert!(failure(report().arg("exhibit").arg("--run").arg(folder.path())).contains("local-pod/0003"));
}
