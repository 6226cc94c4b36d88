//! The verdict on a claim from several rows, machines and runs.

use std::collections::BTreeSet;

use analysis::claims::{
    Claims, ControlResult, CurrentPlan, Evidence, Interval, IntervalTail, Judgement, LeftOut, MeasuredQuantity,
    RowRole, RunOrigin, Verdict, examine_stability, judge,
};
use analysis::estimate;
use model::RowCombination;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use crate::claims::{MACHINE, claim, controls, exploratory, judged, measured, plan, plan_of, planned_row, stated};

/// The conditions of r06-parts that the tests use.
const CONDITIONS: [&str; 4] = ["local-pod", "local-bridge", "local-nodes", "docker"];

/// The judgement of r06-parts by a plan whose rows are the conditions, from values with half-widths of 100 ns.
fn registered(claims: &Claims, plan: &CurrentPlan, rows: &[MeasuredQuantity]) -> Judgement {
    let evidence = Evidence {
        measured: rows.to_vec(),
        controls: machines_controls(claims, rows),
    };
    judged(claims, Some(plan), &evidence, "r06-parts").registered
}

/// Both controls in every condition on each machine of the rows.
fn machines_controls(claims: &Claims, rows: &[MeasuredQuantity]) -> Vec<ControlResult> {
    let machines: BTreeSet<&str> = rows.iter().map(|row| row.machine.as_str()).collect();
    let on = |machine: &str| {
        let mut controls = controls(claims);
        let names = controls.iter_mut().map(|control| &mut control.machine);
        names.for_each(|name| machine.clone_into(name));
        controls
    };
    machines.into_iter().flat_map(on).collect()
}

fn rows(claims: &Claims, values: &[f64]) -> Vec<MeasuredQuantity> {
    let claim = claim(claims, "r06-parts");
    let pairs = CONDITIONS.iter().zip(values);
    pairs
        .map(|(condition, value)| measured(claim, condition, *value, 100.0))
        .collect()
}

fn on(machine: &str, rows: Vec<MeasuredQuantity>) -> Vec<MeasuredQuantity> {
    let moved = rows.into_iter().map(|row| MeasuredQuantity {
        machine: machine.to_owned(),
        ..row
    });
    moved.collect()
}

#[test]
fn every_row_must_support_and_one_that_refutes_is_enough() {
    let claims = stated();
    let plan = plan("r06-parts", RowCombination::Every, &CONDITIONS[..3]);
    let verdict = |values: &[f64]| registered(&claims, &plan, &rows(&claims, values)).verdict;
    assert_eq!(verdict(&[900.0, 900.0, 101.0]), Verdict::Supported);
    assert_eq!(verdict(&[900.0, 900.0, 99.0]), Verdict::Inconclusive);
    assert_eq!(verdict(&[900.0, 900.0, -900.0]), Verdict::NotSupported);
    // Of three rows one refutes at 2.5 %, and not at a third of this: t = 2.262 and 2.933 with 9 degrees of freedom.
    assert_eq!(verdict(&[900.0, 900.0, -110.0]), Verdict::Inconclusive);
    assert_eq!(verdict(&[900.0, 900.0, -129.0]), Verdict::Inconclusive);
    assert_eq!(verdict(&[900.0, 900.0, -130.0]), Verdict::NotSupported);
}

#[test]
fn one_of_several_rows_supports_only_after_the_correction_by_holm() {
    let claims = stated();
    let plan = plan("r06-parts", RowCombination::Any, &CONDITIONS[..3]);
    let verdict = |values: &[f64]| registered(&claims, &plan, &rows(&claims, values)).verdict;
    // The same quantiles as above.
    assert_eq!(verdict(&[110.0, 0.0, 0.0]), Verdict::Inconclusive);
    assert_eq!(verdict(&[129.0, 0.0, 0.0]), Verdict::Inconclusive);
    assert_eq!(verdict(&[130.0, 0.0, 0.0]), Verdict::Supported);
    // A row that refutes after the correction leaves it open; one that refutes by its own interval alone does not.
    assert_eq!(verdict(&[900.0, -110.0, 0.0]), Verdict::Supported);
    assert_eq!(verdict(&[900.0, -130.0, 0.0]), Verdict::Inconclusive);
    assert_eq!(verdict(&[-110.0, -110.0, -110.0]), Verdict::NotSupported);
    assert_eq!(verdict(&[-110.0, -110.0, 0.0]), Verdict::Inconclusive);
}

#[test]
fn a_planned_row_that_is_missing_is_named_and_leaves_every_open() {
    let claims = stated();
    for (combine, expected) in [
        (RowCombination::Every, Verdict::Inconclusive),
        (RowCombination::Any, Verdict::Supported),
    ] {
        let plan = plan("r06-parts", combine, &CONDITIONS[..3]);
        let found = registered(&claims, &plan, &rows(&claims, &[900.0, 900.0]));
        assert_eq!(found.verdict, expected);
        assert_eq!(found.machines[0].missing, ["local-nodes of a-run"]);
        assert!(found.text.contains("missing: local-nodes of a-run"), "{}", found.text);
    }
}

#[test]
fn a_row_is_primary_by_the_plan_its_hash_and_a_clean_tree_alone() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let role = |plan: &CurrentPlan, change: &dyn Fn(&mut MeasuredQuantity)| {
        let mut row = measured(claim, "local-pod", 900.0, 100.0);
        change(&mut row);
        let evidence = Evidence {
            measured: vec![row],
            controls: controls(&claims),
        };
        let found = judged(&claims, Some(plan), &evidence, "r06-parts");
        let decided = [&found.registered, &found.exploratory].map(|one| one.verdict != Verdict::NotRun);
        assert_eq!(
            decided,
            [
                found.rows[0].role == RowRole::Primary,
                found.rows[0].role == RowRole::Exploratory
            ]
        );
        found.rows[0].role
    };
    let named = plan("r06-parts", RowCombination::Every, &["local-pod"]);
    assert_eq!(role(&named, &|_| {}), RowRole::Primary);
    assert_eq!(
        role(&named, &|row| row.run = "a-run/a-cell".to_owned()),
        RowRole::Primary
    );
    let exploratory: [&dyn Fn(&mut MeasuredQuantity); 5] = [
        &|row| row.plan_sha256 = None,
        &|row| row.plan_sha256 = Some("10".to_owned()),
        &|row| row.tree_clean = false,
        &|row| row.run = "another".to_owned(),
        &|row| row.cell = [("server".to_owned(), "nginx".to_owned())].into(),
    ];
    for change in exploratory {
        assert_eq!(role(&named, change), RowRole::Exploratory);
    }
    let of_another = plan("r01-spread", RowCombination::Every, &["local-bridge / local-pod"]);
    assert_eq!(role(&of_another, &|_| {}), RowRole::Exploratory);
    // Cell and parameters tell rows apart.
    let mut row = planned_row("local-pod");
    row.cell = [("server".to_owned(), "nginx".to_owned())].into();
    row.parameters = [("contrast".to_owned(), "all of it".to_owned())].into();
    let of_a_cell = plan_of("r06-parts", RowCombination::Every, vec![row.clone()]);
    let with = |parameter: &'static str| {
        let cell = row.cell.clone();
        move |measured: &mut MeasuredQuantity| {
            measured.cell.clone_from(&cell);
            measured.parameters = [("contrast".to_owned(), parameter.to_owned())].into();
        }
    };
    assert_eq!(role(&of_a_cell, &with("all of it")), RowRole::Primary);
    assert_eq!(role(&of_a_cell, &with("searching")), RowRole::Exploratory);
}

#[test]
fn machines_are_judged_apart_and_all_must_agree() {
    let claims = stated();
    let plan = plan("r06-parts", RowCombination::Every, &["local-pod"]);
    let of = |values: &[f64]| {
        let machines = values.iter().enumerate();
        let rows: Vec<MeasuredQuantity> = machines
            .flat_map(|(number, value)| on(&format!("machine-{number}"), rows(&claims, &[*value])))
            .collect();
        registered(&claims, &plan, &rows)
    };
    assert_eq!(of(&[900.0, 900.0]).verdict, Verdict::Supported);
    assert_eq!(of(&[-900.0, -900.0]).verdict, Verdict::NotSupported);
    let found = of(&[900.0, 0.0, 900.0]);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert_eq!(found.shown(), "inconclusive (2 of 3 machines support, emulated only)");
    assert!(
        found.text.contains("machine-1, inconclusive: local-pod 0.00"),
        "{}",
        found.text
    );
    assert_eq!(of(&[900.0, -900.0]).verdict, Verdict::Inconclusive);
    // Pooled, 900 and 0 would support the claim.
    assert_eq!(of(&[900.0, 0.0]).verdict, Verdict::Inconclusive);
}

#[test]
fn from_five_machines_on_there_is_a_summary() {
    let claims = stated();
    let plan = plan("r06-parts", RowCombination::Every, &["local-pod"]);
    let values = [500.0, 700.0, 900.0, 1_100.0, 1_300.0];
    let of = |values: &[f64]| {
        let machines = values.iter().enumerate();
        let rows: Vec<MeasuredQuantity> = machines
            .flat_map(|(number, value)| on(&format!("machine-{number}"), rows(&claims, &[*value])))
            .collect();
        registered(&claims, &plan, &rows).over_machines
    };
    assert!(of(&values[..4]).is_empty());
    let found = &of(&values)[0];
    assert_eq!((found.machines, found.place.as_str()), (5, "local-pod"));
    // All standard errors are 100 / t(0.975, 9), so that the mean is the plain one and τ² the variance of the values less s².
    let error: f64 = 100.0 / 2.262_157_162_740_992;
    let tau = (100_000.0 - error.powi(2)).sqrt();
    assert!((found.mean.value - 900.0).abs() < 1e-9);
    assert!((found.tau - tau).abs() < 1e-6, "{} {tau}", found.tau);
    // t(0.975, 3) and the standard error of the mean.
    let reach = 3.182_446_305_284_263 * (tau.powi(2) + 100_000.0 / 5.0).sqrt();
    assert!((found.further.high - 900.0 - reach).abs() < 1e-6, "{:?}", found.further);
    assert!(
        found.text().contains("local-pod over 5 machines: mean 0.90 ["),
        "{}",
        found.text()
    );
    assert!(found.text().contains("\u{3c4} = 0.31 µs"), "{}", found.text());
}

#[test]
fn a_real_engine_among_the_rows_ends_emulated_only() {
    let claims = stated();
    for (conditions, emulated) in [(&CONDITIONS[..3], true), (&CONDITIONS[..4], false)] {
        let plan = plan("r06-parts", RowCombination::Every, conditions);
        let found = registered(&claims, &plan, &rows(&claims, &[900.0; 4][..conditions.len()]));
        assert_eq!(found.emulated_only, emulated);
        assert_eq!(found.shown().contains("emulated only"), emulated);
        assert_eq!(found.not_run.contains(&"docker".to_owned()), emulated);
        assert!(found.not_run.contains(&"eks-pod".to_owned()));
    }
}

/// The share of simulated recordings in which 16 rows of ten launches each, whose true effect is zero, support a claim of an
/// effect above zero.
fn union_error(combine: RowCombination, recordings: u32) -> f64 {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let cells: Vec<String> = (0..16).map(|number| number.to_string()).collect();
    let cell = |number: &String| [("cell".to_owned(), number.clone())].into();
    let planned = cells.iter().map(|number| {
        let mut row = planned_row("local-pod");
        row.cell = cell(number);
        row
    });
    let plan = plan_of("r06-parts", combine, planned.collect());
    let mut random = Pcg64::seed_from_u64(24);
    let mut normal = move || -> f64 {
        let (radius, angle): (f64, f64) = (random.random(), random.random());
        100.0 * (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    };
    let mut supported = 0;
    for _ in 0..recordings {
        let measured = cells.iter().map(|number| {
            let launches: Vec<f64> = (0..10).map(|_| normal()).collect();
            let found = estimate(&launches).unwrap();
            let interval = Interval::from(&found);
            MeasuredQuantity {
                cell: cell(number),
                interval,
                total: Some(interval),
                tail: IntervalTail::linear(9.0),
                ..measured(claim, "local-pod", 0.0, 1.0)
            }
        });
        let evidence = Evidence {
            measured: measured.collect(),
            controls: controls(&claims),
        };
        let verdict = judged(&claims, Some(&plan), &evidence, "r06-parts").registered.verdict;
        supported += u32::from(verdict == Verdict::Supported);
    }
    f64::from(supported) / f64::from(recordings)
}

#[test]
fn sixteen_rows_without_an_effect_support_a_claim_in_at_most_2_5_percent_of_the_recordings() {
    // A union without a correction supports it in 23 %. Three standard errors of 400 recordings are 2.3 points.
    let found = union_error(RowCombination::Any, 400);
    assert!((0.002..=0.048).contains(&found), "{found}");
    assert!(union_error(RowCombination::Every, 50) == 0.0);
}

#[test]
fn recorded_runs_and_the_readers_own_are_told_apart_where_there_are_both() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let one = |value| Evidence {
        measured: vec![measured(claim, "local-pod", value, 100.0)],
        controls: controls(&claims),
    };
    let text = |evidence: &Evidence| exploratory(&claims, evidence, "r06-parts").text;
    let mut recorded = one(900.0).of(RunOrigin::Recorded);
    recorded.extend(one(800.0).of(RunOrigin::Recorded));
    let expected = format!("{MACHINE}, supported: local-pod 0.90 [0.80, 1.00] µs, local-pod 0.80 [0.70, 0.90] µs");
    assert!(text(&recorded).ends_with(&expected), "{}", text(&recorded));
    let mut both = recorded.clone();
    both.extend(one(700.0).of(RunOrigin::Yours));
    let expected = "recorded local-pod 0.80 [0.70, 0.90] µs, yours local-pod 0.70 [0.60, 0.80] µs";
    assert!(text(&both).ends_with(expected), "{}", text(&both));
}

#[test]
fn fewer_than_ten_launches_are_shown_and_decide_nothing() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let small = |condition: &str| MeasuredQuantity {
        launches: Some(9),
        ..measured(claim, condition, -900.0, 100.0)
    };
    let mut evidence = Evidence {
        measured: vec![small("local-pod")],
        controls: controls(&claims),
    };
    let found = exploratory(&claims, &evidence, "r06-parts");
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.text.ends_with("but 9 launches, fewer than 10"), "{}", found.text);
    // Neither on the machine of one that decides, nor on another.
    evidence.measured.push(measured(claim, "local-pod", 900.0, 100.0));
    evidence.measured.extend(on("another", vec![small("docker")]));
    let found = exploratory(&claims, &evidence, "r06-parts");
    assert_eq!(found.verdict, Verdict::Supported, "{}", found.text);
    // A primary row with too few launches leaves the claim open.
    let plan = plan("r06-parts", RowCombination::Every, &["local-pod", "docker"]);
    let mut evidence = Evidence {
        measured: rows(&claims, &[900.0, 0.0, 0.0, 900.0]),
        controls: controls(&claims),
    };
    let verdict = |evidence: &Evidence| judged(&claims, Some(&plan), evidence, "r06-parts").registered.verdict;
    assert_eq!(verdict(&evidence), Verdict::Supported);
    evidence.measured[3].launches = Some(9);
    assert_eq!(verdict(&evidence), Verdict::Inconclusive);
}

/// A supported row of ten launches, and the same row without one launch: the interval of the others.
fn left_out(quantity: usize, value: f64, half: f64) -> LeftOut {
    let interval = Interval::new(value, (value - half, value + half));
    LeftOut {
        quantity,
        launch: format!("launch with {value}"),
        interval,
        tail: IntervalTail::linear(8.0),
        total: Some(interval),
    }
}

#[test]
fn a_verdict_that_one_launch_carries_is_inconclusive() {
    let claims = stated();
    let plan = plan("r06-parts", RowCombination::Every, &CONDITIONS[..2]);
    let evidence = |values: &[f64]| Evidence {
        measured: rows(&claims, values),
        controls: controls(&claims),
    };
    let examined = |values: &[f64], left_out: &[LeftOut]| {
        let evidence = evidence(values);
        let mut judged = judge(&claims, Some(&plan), &evidence).unwrap();
        examine_stability(&mut judged, &claims, Some(&plan), &evidence, left_out).unwrap();
        let mut all = judged.into_iter().flat_map(|one| one.claims);
        all.find(|claim| claim.id == "r06-parts").unwrap().registered
    };
    // Without a worst launch, and with a worst launch that changes nothing.
    assert_eq!(examined(&[900.0, 900.0], &[]).verdict, Verdict::Supported);
    let harmless = [left_out(0, 950.0, 90.0), left_out(1, 500.0, 400.0)];
    let found = examined(&[900.0, 900.0], &harmless);
    assert_eq!(found.verdict, Verdict::Supported);
    assert!(found.unstable.is_empty());
    // The worst launch of the second row carries the claim, although another launch of the row does not.
    let carried = [
        left_out(0, 950.0, 90.0),
        left_out(1, 800.0, 90.0),
        left_out(1, 400.0, 410.0),
    ];
    let found = examined(&[900.0, 900.0], &carried);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert_eq!(found.unstable, ["without launch with 400: inconclusive"]);
    // A refutation, whose other side is above.
    let carried = [left_out(1, -800.0, 90.0), left_out(1, -300.0, 310.0)];
    let found = examined(&[900.0, -900.0], &carried);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert_eq!(found.unstable, ["without launch with -300: inconclusive"]);
    // A row without a total interval decides nothing.
    let mut without_total = left_out(0, 900.0, 90.0);
    without_total.total = None;
    assert_eq!(
        examined(&[900.0, 900.0], &[without_total]).verdict,
        Verdict::Inconclusive
    );
    // What is inconclusive stays so, without a reason.
    let found = examined(&[900.0, 0.0], &[left_out(1, 900.0, 90.0)]);
    assert_eq!((found.verdict, found.unstable.len()), (Verdict::Inconclusive, 0));
}

#[test]
fn no_machine_alone_carries_a_verdict() {
    let claims = stated();
    let plan = plan("r06-parts", RowCombination::Every, &["local-pod"]);
    let verdict = |values: &[f64]| {
        let machines = values.iter().enumerate();
        let measured: Vec<MeasuredQuantity> = machines
            .flat_map(|(number, value)| on(&format!("machine-{number}"), rows(&claims, &[*value])))
            .collect();
        let controls = machines_controls(&claims, &measured);
        let evidence = Evidence { measured, controls };
        let mut judged = judge(&claims, Some(&plan), &evidence).unwrap();
        examine_stability(&mut judged, &claims, Some(&plan), &evidence, &[]).unwrap();
        let mut all = judged.into_iter().flat_map(|one| one.claims);
        all.find(|claim| claim.id == "r06-parts").unwrap().registered.verdict
    };
    assert_eq!(verdict(&[900.0, 900.0, 900.0]), Verdict::Supported);
    assert_eq!(verdict(&[-900.0, -900.0]), Verdict::NotSupported);
    assert_eq!(verdict(&[900.0, 900.0, 0.0]), Verdict::Inconclusive);
}
