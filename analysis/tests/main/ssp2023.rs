//! The 2023 study from its published recordings. Skipped, saying so, where the CSV files are not there: they are looked
//! for in `SSP2023_DIR`, in `data/ssp2023` and in `../shared/ssp2023` beside the project.

use std::fs;
use std::path::{Path, PathBuf};

use analysis::ssp2023::{
    self, CUTS, PValue, WARM_UP_ROWS, a_a_by_halves, check, cut_sensitivity, dependence, recompute, significant_halves,
};
use analysis::stats::serial::effective_sample_size;
use serde_json::Value;

use crate::reference::parse;

const RECORDINGS: [(&str, &str, &str); 4] = [
    ("docker", "docker-without-hook", "docker-with-benchmark"),
    ("kind", "kind-without-hook", "kind-with-hook"),
    ("eks-pod", "aws-pod-without-hook", "aws-pod-with-hook"),
    ("eks-nodes", "aws-nodes-without-hook", "aws-nodes-with-hook"),
];

struct Condition {
    name: &'static str,
    unmodified_ns: Vec<i64>,
    hook_ns: Vec<i64>,
}

fn csv(directory: &Path, prefix: &str) -> Option<PathBuf> {
    fs::read_dir(directory)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.extension().is_some_and(|extension| extension == "csv")
                && path
                    .file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with(prefix))
        })
}

#[expect(clippy::cast_possible_truncation, reason = "response times are far below 2^63 ns")]
fn read(path: &Path) -> Vec<i64> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .skip(1)
        .map(|line| {
            let (_, response_ms) = line.split_once(',').expect("start_time,response_time");
            (response_ms.parse::<f64>().expect("milliseconds") * 1e6).round() as i64
        })
        .collect()
}

fn study() -> Option<Vec<Condition>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let places = match std::env::var_os("SSP2023_DIR") {
        Some(directory) => vec![PathBuf::from(directory)],
        None => vec![root.join("data/ssp2023"), root.join("../shared/ssp2023")],
    };
    let found = places.iter().find(|place| csv(place, RECORDINGS[0].1).is_some());
    let Some(directory) = found else {
        println!(
            "SKIPPED: ssp2023 statistics: no CSV files of the 2023 study; set SSP2023_DIR to the folder that holds them"
        );
        return None;
    };
    let recording =
        |prefix| read(&csv(directory, prefix).unwrap_or_else(|| panic!("{}: no {prefix}*.csv", directory.display())));
    Some(
        RECORDINGS
            .iter()
            .map(|&(name, unmodified, hook)| Condition {
                name,
                unmodified_ns: recording(unmodified),
                hook_ns: recording(hook),
            })
            .collect(),
    )
}

fn reference() -> Value {
    parse(include_str!("../reference/ssp2023.json"))
}

#[track_caller]
fn assert_p(what: &str, found: PValue, expected: &Value) {
    let expected = expected.as_f64().expect("a p value");
    if expected < 1e-300 {
        assert_eq!(found.to_string(), "< 1e-300", "{what}");
    } else {
        assert!(
            (found.value() / expected - 1.0).abs() < 1e-7,
            "{what}: {found} instead of {expected}"
        );
    }
}

#[test]
fn every_number_agrees_to_all_digits() {
    let Some(study) = study() else { return };
    let rows: Vec<_> = study
        .iter()
        .map(|one| recompute(one.name, &one.unmodified_ns, &one.hook_ns, WARM_UP_ROWS).expect("whole recordings"))
        .collect();
    for check in rows
        .iter()
        .flat_map(|row| check(row).expect("a condition of the study"))
    {
        assert!(check.agrees, "{check:?}");
    }
    let table = ssp2023::table(&rows);
    for text in [
        "2.8161405 -> 3.0131605",
        "2.816141 -> 3.013161",
        "2.186606",
        "5.344368e-111",
        "< 1e-300",
    ] {
        assert!(table.contains(text), "{text} is not in\n{table}");
    }
    assert!(rows[0].p.log10() < -300.0, "beyond f64 and yet not zero");
}

#[test]
fn the_test_finds_programs_different_from_themselves() {
    let Some(study) = study() else { return };
    let reference = reference();
    let mut rows = Vec::new();
    for one in &study {
        for (index, (arm, recording_ns)) in [("unmodified", &one.unmodified_ns), ("hook", &one.hook_ns)]
            .iter()
            .enumerate()
        {
            let row = a_a_by_halves(one.name, arm, recording_ns, WARM_UP_ROWS).expect("whole recordings");
            assert_p(arm, row.p, &reference["conditions"][one.name]["p_by_halves"][index]);
            rows.push(row);
        }
    }
    assert_eq!((significant_halves(&rows), rows.len()), (7, 8));
}

#[test]
fn p_depends_on_the_cut() {
    let Some(study) = study() else { return };
    let reference = reference();
    for one in &study {
        for row in cut_sensitivity(one.name, &one.unmodified_ns, &one.hook_ns, &CUTS).expect("whole recordings") {
            let what = format!("{} cut at {}", one.name, row.cut);
            assert_p(
                &what,
                row.p,
                &reference["conditions"][one.name]["p_by_cut"][row.cut.to_string()],
            );
        }
    }
}

#[test]
fn longer_batches_give_fewer_effective_requests() {
    let Some(study) = study() else { return };
    let reference = reference();
    for one in &study {
        let by_batch = &reference["conditions"][one.name]["effective_n_by_batch"];
        for (index, recording_ns) in [&one.unmodified_ns, &one.hook_ns].into_iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "response times far below 2^53 ns")]
            let series: Vec<f64> = recording_ns[WARM_UP_ROWS..].iter().map(|&ns| ns as f64).collect();
            let found = [500, 1_000, 2_000, 4_600].map(|batch| {
                let found = effective_sample_size(&series, batch).expect("whole batches");
                let expected = by_batch[batch.to_string()][index].as_f64().expect("a number");
                assert!((found / expected - 1.0).abs() < 1e-4, "{} {batch}: {found}", one.name);
                found
            });
            assert!(
                found.is_sorted_by(|one, longer| one > longer),
                "{}: {found:?}",
                one.name
            );
        }
    }
}

#[test]
fn requests_are_not_independent() {
    let Some(study) = study() else { return };
    let reference = reference();
    for one in &study {
        let found = dependence(one.name, &one.unmodified_ns, &one.hook_ns, WARM_UP_ROWS).expect("whole recordings");
        let expected = &reference["conditions"][one.name];
        for (what, pair) in [
            ("lag_1", found.lag_1),
            ("lag_100", found.lag_100),
            ("effective_n", found.effective_n),
        ] {
            for (index, value) in [pair.0, pair.1].into_iter().enumerate() {
                let expected = expected[what][index].as_f64().expect("a number");
                assert!(
                    (value / expected - 1.0).abs() < 1e-4,
                    "{} {what}: {value} instead of {expected}",
                    one.name
                );
            }
        }
        let (low, high) = found.bootstrap_interval_ms;
        assert!(
            low < found.mean_difference_ms && found.mean_difference_ms < high,
            "{found:?}"
        );
        // Published elsewhere with other block lengths: docker .21 to .39, kind .08 to .17, eks-pod -.22 to -.01,
        // eks-nodes -.09 to .15.
        let (other_low, other_high) = match one.name {
            "docker" => (0.21, 0.39),
            "kind" => (0.08, 0.17),
            "eks-pod" => (-0.22, -0.01),
            _ => (-0.09, 0.15),
        };
        assert!(
            (low - other_low).abs() < 0.04 && (high - other_high).abs() < 0.04,
            "{found:?}"
        );
    }
}

#[test]
fn too_short_and_constant_recordings_are_refused() {
    let error = recompute("docker", &[1; 3_000], &[2; 3_000], WARM_UP_ROWS).unwrap_err();
    assert!(
        error.to_string().contains("3000 rows, of which the cut of 4000"),
        "{error}"
    );
    assert!(recompute("docker", &[], &[], 0).is_err());
    let error = recompute("docker", &[1; 10], &[1; 10], 0).unwrap_err();
    assert!(error.to_string().contains("do not vary"), "{error}");
    assert!(a_a_by_halves("docker", "hook", &[1, 2, 3], 0).is_err());
    assert!(dependence("docker", &[1; 10], &[2; 10], 0).is_err());
    let row = recompute("moon", &[1, 2, 3], &[2, 3, 5], 0).unwrap();
    assert!(
        check(&row).is_err(),
        "a condition that the study does not have is not compared"
    );
}

#[test]
fn a_wrong_number_is_seen() {
    let row = recompute(
        "kind",
        &[1_000_000, 2_000_000, 3_000_000],
        &[2_000_000, 3_000_000, 5_000_000],
        0,
    )
    .unwrap();
    assert!(check(&row).unwrap().iter().all(|check| !check.agrees));
    // 3.0721365 may be written 3.072136 or 3.072137, and nothing else.
    let median = |median_ns: i64| {
        let row = recompute("kind", &[0, median_ns, median_ns + 1, 9_000_000], &[0, 1, 2], 0).unwrap();
        check(&row).unwrap().remove(4)
    };
    assert!(median(3_072_136).agrees && median(3_072_137).agrees);
    assert!(
        !median(3_072_135).agrees && !median(3_072_138).agrees,
        "{:?}",
        median(3_072_138)
    );
    let table = ssp2023::table(&[row]);
    assert!(table.contains("2.000000 -> 3.333333"), "{table}");
}

#[test]
fn p_values_are_shown_at_every_size() {
    for (ln_p, text) in [
        (0.0, "1.000000"),
        (0.271_305_f64.ln(), "0.271305"),
        (-800.0, "< 1e-300"),
        (1e-26_f64.ln(), "1.000000e-26"),
    ] {
        assert_eq!(PValue::from_ln(ln_p).to_string(), text);
    }
    let json = serde_json::to_value(PValue::from_ln(-800.0)).unwrap();
    assert_eq!(json["value"], Value::Null);
    assert!((json["log10"].as_f64().unwrap() + 347.435_585_5).abs() < 1e-6);
}
