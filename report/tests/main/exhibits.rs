//! Exhibits and claims of made-up grids: figures, tables and verdicts follow from the data.

use std::path::Path;

use serde_json::json;

use crate::grids::{AS_IT_IS, Change, RecordedCell, contrast, exhibit, grid, slower};
use crate::made_up_run::{ARMS, Arm, LAUNCHES, SEGMENT_ROUNDS, change_manifest, write_launches};
use crate::program::{failure, report, verdict as verdict_of};

#[test]
fn cells_of_two_machines_are_not_one_grid() {
    let folder = tempfile::tempdir().unwrap();
    grid(
        folder.path(),
        "r03",
        &[(&[("proxies", "none")], AS_IT_IS), (&[("proxies", "one")], AS_IT_IS)],
    );
    change_manifest(&folder.path().join("cell-1"), |manifest| {
        manifest["machine"]["processors"] = 4.into();
    });
    let said = failure(report().args(["exhibit", "--run"]).arg(folder.path()));
    assert!(
        said.contains("r03/cell-0 was recorded on 0cpu, and r03/cell-1 on 4cpu; a grid compares cells of one machine"),
        "{said}"
    );
}

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
        table.contains("r03: What does it cost?") && table.contains("30.00 [") && table.contains("Machine: 0cpu."),
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
fn each_dose_of_a_neighbour_is_compared_with_none() {
    let folder = tempfile::tempdir().unwrap();
    let cells = |some: Change, much: Change| -> [RecordedCell<'_>; 6] {
        [
            (&[("neighbour", "none"), ("design", "interleaved")], AS_IT_IS),
            (&[("neighbour", "none"), ("design", "sequential")], AS_IT_IS),
            (&[("neighbour", "CPU 10 %"), ("design", "interleaved")], some),
            (&[("neighbour", "CPU 10 %"), ("design", "sequential")], AS_IT_IS),
            (&[("neighbour", "CPU 50 %"), ("design", "interleaved")], much),
            (&[("neighbour", "CPU 50 %"), ("design", "sequential")], |arm| {
                if arm.name == "control" {
                    slower(arm, 1_000);
                }
            }),
        ]
    };
    let spread: Change = |arm| {
        if arm.name == "control" {
            arm.launch_ns = 100;
        }
    };
    let run = folder.path().join("run");
    grid(&run, "r04", &cells(AS_IT_IS, spread));
    let (_, text) = verdict_of(&run, "r04-spread");
    // (5 + 100) / (5 + 5), once for each dose.
    assert!(text.contains("10.50 [") && text.contains("1.00 ["), "{text}");
    let (_, text) = verdict_of(&run, "r04-false-positives");
    assert!(text.contains("100.0 [") && text.contains("0.0 ["), "{text}");
    let table = exhibit(&run).0;
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("CPU 50 %, interleaved").contains("10.50 ["), "{table}");
    assert!(
        row("CPU 50 %, sequential").contains(&format!("{LAUNCHES} of {LAUNCHES}"))
            && row("CPU 10 %, sequential").contains(&format!("0 of {LAUNCHES}")),
        "{table}"
    );
}

#[test]
fn launches_needed_grow_with_the_delays() {
    let folder = tempfile::tempdir().unwrap();
    let of_spread: [Change; 3] = [
        AS_IT_IS,
        |arm| {
            if arm.name == "control" {
                arm.launch_ns = 200;
            }
        },
        |arm| {
            if arm.name == "control" {
                arm.launch_ns = 800;
            }
        },
    ];
    let levels = ["none", "1/2", "1"].map(|level| [("relay", level)]);
    let cells: Vec<RecordedCell<'_>> = levels
        .iter()
        .zip(of_spread)
        .map(|(level, change)| (&level[..], change))
        .collect();
    grid(folder.path(), "r02", &cells);
    let (table, figure) = exhibit(folder.path());
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("local-pod, relay: 1/2").contains("20.50 ["), "{table}");
    assert!(row("local-pod, relay: 1 ").contains("80.50 ["), "{table}");
    assert!(figure.contains("launches needed"), "{figure}");
}

/// The calibration recovers its delay without an error, which would widen the total interval of a slope.
const EXACT: Change = |arm| {
    if arm.name == "delay-5us" {
        arm.wire_ns = 21_100;
    }
};

#[test]
fn the_cost_of_a_keyword_is_a_slope_over_the_payload_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let cells = |near: Change, far: Change| -> [RecordedCell<'_>; 6] {
        [
            (&[("payload", "head only"), ("keyword", "beginning")], EXACT),
            (&[("payload", "head only"), ("keyword", "end")], EXACT),
            (&[("payload", "1 KiB"), ("keyword", "beginning")], EXACT),
            (&[("payload", "1 KiB"), ("keyword", "end")], near),
            (&[("payload", "4 KiB"), ("keyword", "beginning")], EXACT),
            (&[("payload", "4 KiB"), ("keyword", "end")], far),
        ]
    };
    let bodies = [0, 0, 1, 1, 4, 4];
    let recorded = |name: &str, near: Change, far: Change| {
        let run = folder.path().join(name);
        grid(&run, "r07", &cells(near, far));
        for (cell, kib) in bodies.iter().enumerate() {
            change_manifest(&run.join(format!("cell-{cell}")), |manifest| {
                manifest["plan"]["request"]["body"] = "x".repeat(kib * 1024).into();
            });
        }
        run
    };
    let flat = recorded("flat", EXACT, EXACT);
    assert_eq!(verdict_of(&flat, "r07-position").0, "not_supported");
    let steep = recorded(
        "steep",
        |arm| {
            EXACT(arm);
            if arm.name == "log" {
                slower(arm, 100);
            }
        },
        |arm| {
            EXACT(arm);
            if arm.name == "log" {
                slower(arm, 400);
            }
        },
    );
    let (verdict, text) = verdict_of(&steep, "r07-position");
    assert!(verdict == "supported" && text.contains("0.10 ["), "{text}");
    let (table, _) = exhibit(&steep);
    assert!(
        table.contains("Each KiB of payload before the keyword adds 100.0 ["),
        "{table}"
    );
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
    let (verdict, text) = verdict_of(folder.path(), "r08-mean");
    // 60 µs instead of 20 µs.
    assert!(verdict == "supported" && text.contains("3.00 ["), "{text}");
    let (verdict, text) = verdict_of(folder.path(), "r08-effect");
    assert!(verdict == "supported" && text.contains("20.00 ["), "{text}");
    // Both cells of these made-up launches took equally long.
    for (cell, elapsed_s) in [("cell-0", 1.0), ("cell-1", 4.0)] {
        change_manifest(&folder.path().join(cell), |manifest| {
            for (launch, number) in manifest["launches"].as_array_mut().unwrap().iter_mut().zip(0..) {
                launch["loadgen"]["observations"] = 1_000.into();
                launch["loadgen"]["elapsed_s"] = (elapsed_s + 0.001 * f64::from(number)).into();
            }
        });
    }
    let (verdict, text) = verdict_of(folder.path(), "r08-throughput");
    assert!(verdict == "supported" && text.contains("0.25 ["), "{text}");
}

#[test]
fn the_effect_at_the_client_is_compared_with_the_effect_at_the_hook() {
    let folder = tempfile::tempdir().unwrap();
    // Launches differ at the hook by one and by three times the same amount; the mean absolute deviation is `deviation_ns`.
    let at_hook = |launch: usize, deviation_ns: f64| 1_000.0 + deviation_ns * [-1.0, 1.0, -3.0, 3.0][launch % 4] / 1.8;
    let shown = |name: &str, deviation_ns: f64| {
        let run = folder.path().join(name);
        grid(&run, "r05", &[(&[], AS_IT_IS)]);
        change_manifest(&run.join("cell-0"), |manifest| {
            for launch in manifest["launches"].as_array_mut().unwrap() {
                let number = usize::try_from(launch["launch"].as_u64().unwrap()).unwrap();
                for arm in launch["arms"].as_array_mut().unwrap() {
                    arm["server"] =
                        json!({"call_ns_median": 1e3, "handler_ns_median": 8e3, "records": 100, "dropped": 0});
                    if arm["arm"] == "log" {
                        arm["telemetry"] = json!({"held_ns_median": at_hook(number, deviation_ns), "held_ns_mean": 1.0,
                            "own_ns_median": 1.0, "records": 100, "dropped": 0});
                    }
                }
            }
        });
        verdict_of(&run, "r05-layers")
    };
    // The effect differs by 20 ns between launches at the RTT, so that its mean absolute deviation is 10 ns.
    let (_, text) = shown("quiet", 0.5);
    assert!(text.contains("local-pod") && text.contains("20.00 ["), "{text}");
    let (_, text) = shown("noisy", 100.0);
    assert!(text.contains("0.10 ["), "{text}");
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
    // Rows of 50 and 100 rounds: the longer the launch, the larger the share of launches.
    assert!(
        row(&apart, "share between launches, local-pod, 100 rounds").contains("100 [")
            && row(&alike, "share between launches, local-pod, 100 rounds").contains("0 ["),
        "{apart} {alike}"
    );
    // Twice the precision of launches that differ takes nearly four times as many.
    assert!(
        row(&apart, "Twice as precise").contains("73 launches of 25 rounds"),
        "{apart}"
    );
}

/// The cost of searching differs between launches: without a standard error an effect is left out.
const VARYING: Change = |arm| {
    if arm.name == "scan" {
        arm.launch_ns = 7;
    }
};

#[test]
fn spread_between_servers_is_no_spread_between_modes() {
    let folder = tempfile::tempdir().unwrap();
    let (alike, other) = (folder.path().join("alike"), folder.path().join("other"));
    let three = |third: Change| -> [RecordedCell<'_>; 3] {
        [
            (&[("server", "one")], VARYING),
            (&[("server", "two")], VARYING),
            (&[("server", "three")], third),
        ]
    };
    grid(&alike, "r10", &three(VARYING));
    assert_ne!(verdict_of(&alike, "r10-server").0, "supported");
    // One server in which every mode costs ten times as much.
    let dearer: Change = |arm| {
        VARYING(arm);
        match arm.name {
            "log" => slower(arm, 18_000),
            "scan" => slower(arm, 6_300),
            _ => {}
        }
    };
    grid(&other, "r10", &three(dearer));
    let (verdict, text) = verdict_of(&other, "r10-server");
    // The standard deviation of ln 1, ln 1 and ln 10.
    assert!(verdict == "supported" && text.contains("1.33 ["), "{text}");
    let mode = |run: &Path| verdict_of(run, "r10-mode").1;
    // The logarithms of 0.7 and 2.0 µs, in all servers.
    assert!(
        mode(&alike).contains("0.74 [") && mode(&other).contains("0.74 ["),
        "{}",
        mode(&other)
    );
    // One topology.
    assert_eq!(verdict_of(&other, "r10-topology").0, "not_run");
    let table = exhibit(&other).0;
    assert!(
        table.contains("three, local-pod")
            && table.contains("mean over all cells")
            && table.contains("topology: no spread, because it has one level"),
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
