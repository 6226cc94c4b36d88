//! Claims judged by made-up evidence: both sides of every threshold, controls, limits, texts, and errors of the file.

use std::collections::BTreeMap;

use analysis::claims::{
    Claim, Claims, ControlKind, ControlResult, CurrentPlan, Direction, Evidence, Interval, IntervalTail, JudgedClaim,
    MeasuredQuantity, NeededControls, Reference, RepeatedLimitHit, Unit, Verdict, judge, misses, systematic, table,
};
use analysis::{Estimate, estimate};
use model::{
    LimitHit, LimitKind, PlanBudget, PlannedClaim, PrimaryRow, REGISTERED_PLAN_VERSION, RegisteredPlan, RowCombination,
    Throttling,
};

const RUN: &str = "a-run";
pub(crate) const MACHINE: &str = "amd-epyc-2cpu";
/// The hash of [`plan`].
const PLAN: &str = "0f";

pub(crate) fn stated() -> Claims {
    Claims::stated().unwrap()
}

fn beside(run: &str, condition: &str) -> Reference {
    Reference {
        run: run.to_owned(),
        condition: condition.to_owned(),
    }
}

pub(crate) fn claim<'a>(claims: &'a Claims, id: &str) -> &'a Claim {
    claims.claim(id).unwrap()
}

/// A quantity for a claim in one of its conditions, with an interval of half-width `half`, recorded by [`plan`].
pub(crate) fn measured(claim: &Claim, condition: &str, value: f64, half: f64) -> MeasuredQuantity {
    let (condition, reference) = condition
        .split_once(" / ")
        .map_or((condition, None), |(one, other)| (one, Some(beside(RUN, other))));
    let interval = Interval::new(value, (value - half, value + half));
    let tail = (interval, IntervalTail::linear(9.0));
    MeasuredQuantity {
        machine: MACHINE.to_owned(),
        plan_sha256: Some(PLAN.to_owned()),
        tree_clean: true,
        launches: Some(10),
        reference,
        ..MeasuredQuantity::new(&claim.experiments[0], RUN, condition, claim.quantity.clone(), tail)
    }
}

/// The row of a plan that [`measured`] fills.
pub(crate) fn planned_row(condition: &str) -> PrimaryRow {
    PrimaryRow {
        run: RUN.to_owned(),
        condition: condition.parse().unwrap(),
        cell: BTreeMap::new(),
        parameters: BTreeMap::new(),
    }
}

/// A plan in which one claim is decided by these rows.
pub(crate) fn plan_of(id: &str, combine: RowCombination, rows: Vec<PrimaryRow>) -> CurrentPlan {
    let claim = PlannedClaim {
        id: id.to_owned(),
        combine,
        least_effect: 0.0,
        least_effect_from: "a test".to_owned(),
        rows,
    };
    CurrentPlan {
        sha256: PLAN.to_owned(),
        plan: RegisteredPlan {
            version: REGISTERED_PLAN_VERSION,
            budget: PlanBudget {
                local_min: 1.0,
                engines_min: 1.0,
                challenge_min: 1.0,
                applications_min: 1.0,
            },
            files: BTreeMap::new(),
            runs: Vec::new(),
            claims: vec![claim],
        },
    }
}

/// A plan with a row for each of these conditions.
pub(crate) fn plan(id: &str, combine: RowCombination, conditions: &[&str]) -> CurrentPlan {
    plan_of(
        id,
        combine,
        conditions.iter().map(|condition| planned_row(condition)).collect(),
    )
}

/// Both controls in every condition that claims name.
pub(crate) fn controls(claims: &Claims) -> Vec<ControlResult> {
    let mut conditions: Vec<&str> = claims
        .all()
        .flat_map(|claim| &claim.conditions)
        .flat_map(|condition| condition.split(" / "))
        .collect();
    conditions.sort_unstable();
    conditions.dedup();
    let control = |condition: &&str, kind| ControlResult {
        kind,
        run: RUN.to_owned(),
        source: None,
        machine: MACHINE.to_owned(),
        condition: (*condition).to_owned(),
        interval: Interval::new(10.0, (-20.0, 40.0)),
        bound_ns: 35.0,
    };
    conditions
        .iter()
        .flat_map(|condition| ControlKind::ALL.map(|kind| control(condition, kind)))
        .collect()
}

pub(crate) fn judged(claims: &Claims, plan: Option<&CurrentPlan>, evidence: &Evidence, id: &str) -> JudgedClaim {
    let all = judge(claims, plan, evidence).unwrap();
    all.into_iter()
        .flat_map(|one| one.claims)
        .find(|claim| claim.id == id)
        .unwrap()
}

/// The claim by the exploratory rows, which are all rows without a plan.
pub(crate) fn exploratory(claims: &Claims, evidence: &Evidence, id: &str) -> analysis::claims::Judgement {
    let found = judged(claims, None, evidence, id);
    assert_eq!(
        found.registered.verdict,
        Verdict::NotRun,
        "without a plan nothing is decided"
    );
    found.exploratory
}

/// Evidence for one claim in all of its conditions.
fn evidence(claims: &Claims, claim: &Claim, value: f64, half: f64) -> Evidence {
    let conditions = claim.conditions.iter();
    Evidence {
        measured: conditions
            .map(|condition| measured(claim, condition, value, half))
            .collect(),
        controls: controls(claims),
    }
}

#[test]
fn every_threshold_decides_on_both_sides() {
    let claims = stated();
    for claim in claims.all() {
        let scale = claim.threshold.abs().max(0.01);
        let (inside, outside) = match claim.direction {
            Direction::Above => (claim.threshold + scale, claim.threshold - scale),
            Direction::Below => (claim.threshold - scale, claim.threshold + scale),
            Direction::Within => (claim.around, claim.around + 2.0 * scale),
        };
        let verdict = |value, half| {
            let found = exploratory(&claims, &evidence(&claims, claim, value, half), &claim.id);
            assert!(found.text.contains(&found.verdict.to_string()), "{}", found.text);
            (found.verdict, found.text)
        };
        let (supported, supported_text) = verdict(inside, scale / 2.0);
        // Refutations are corrected for the number of rows.
        let (refuted, refuted_text) = verdict(outside, scale / 4.0);
        assert_eq!(supported, Verdict::Supported, "{}: {supported_text}", claim.id);
        assert_eq!(refuted, Verdict::NotSupported, "{}: {refuted_text}", claim.id);
        // The text has the number itself, so that other data give another text.
        assert_ne!(supported_text, refuted_text);
        assert!(supported_text.contains(&claim.unit.number(inside)), "{supported_text}");
        // An interval over the threshold says neither.
        assert_eq!(verdict(inside, 3.0 * scale).0, Verdict::Inconclusive, "{}", claim.id);
        assert_eq!(verdict(inside, f64::INFINITY).0, Verdict::Inconclusive, "{}", claim.id);
        // Without data there is no verdict.
        let none = exploratory(&claims, &Evidence::default(), &claim.id);
        assert_eq!(none.verdict, Verdict::NotRun);
        assert!(none.text.contains(&claim.experiments[0]), "{}", none.text);
        assert_eq!(none.not_run, claim.conditions);
    }
}

#[test]
fn the_total_interval_decides_and_the_statistical_one_is_shown_beside_it() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let mut evidence = evidence(&claims, claim, 900.0, 100.0);
    evidence.measured.truncate(1);
    let of = |evidence: &Evidence| exploratory(&claims, evidence, "r06-parts");
    assert_eq!(of(&evidence).verdict, Verdict::Supported);
    assert!(!of(&evidence).text.contains("total"), "{}", of(&evidence).text);
    let widen = |evidence: &mut Evidence, bound| {
        let measured = &mut evidence.measured[0];
        measured.total = Some(systematic::widened(&measured.interval, bound));
    };
    widen(&mut evidence, 799.0);
    assert_eq!(of(&evidence).verdict, Verdict::Supported);
    widen(&mut evidence, 801.0);
    assert_eq!(of(&evidence).verdict, Verdict::Inconclusive);
    assert!(
        of(&evidence)
            .text
            .contains("0.90 [0.80, 1.00] µs, total [\u{2212}0.00, 1.80]"),
        "{}",
        of(&evidence).text
    );
    evidence.measured[0].total = None;
    assert_eq!(of(&evidence).verdict, Verdict::Inconclusive);
    assert!(
        of(&evidence).text.contains("no total interval"),
        "{}",
        of(&evidence).text
    );
}

#[test]
fn a_wrong_sign_that_excludes_zero_is_not_supported() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let mut evidence = evidence(&claims, claim, 900.0, 100.0);
    // The two arms swapped.
    for measured in &mut evidence.measured {
        let Interval { value, low, high } = measured.interval;
        measured.interval = Interval::new(-value, (-high, -low));
        measured.total = Some(measured.interval);
    }
    let found = exploratory(&claims, &evidence, "r06-parts");
    assert_eq!(found.verdict, Verdict::NotSupported);
    let expected = "\u{2212}0.90 [\u{2212}1.00, \u{2212}0.80] µs";
    assert!(found.text.contains(expected), "{}", found.text);
}

#[test]
fn a_missing_control_and_a_limit_make_it_inconclusive_and_say_why() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let good = Evidence {
        measured: vec![measured(claim, "local-pod", 900.0, 100.0)],
        controls: controls(&claims),
    };
    let of = |evidence: &Evidence| exploratory(&claims, evidence, "r06-parts");
    assert_eq!(of(&good).verdict, Verdict::Supported);
    for (kind, expected) in [
        (ControlKind::AA, "no A/A control in local-pod"),
        (ControlKind::Calibration, "no calibration in local-pod"),
    ] {
        let mut bad = good.clone();
        bad.controls.retain(|control| control.kind != kind);
        assert_eq!(of(&bad).verdict, Verdict::Inconclusive);
        assert!(of(&bad).text.contains(expected), "{}", of(&bad).text);
        // A control of another machine, and of a reader's run, with the same name.
        for change in [
            |control: &mut ControlResult| control.machine = "another".to_owned(),
            |control: &mut ControlResult| control.source = Some(analysis::claims::RunOrigin::Yours),
        ] {
            let mut bad = good.clone();
            bad.controls
                .iter_mut()
                .filter(|control| control.kind == kind)
                .for_each(change);
            assert_eq!(of(&bad).verdict, Verdict::Inconclusive);
        }
    }
    let mut bad = good;
    let hit = LimitHit {
        subject: "scan".to_owned(),
        kind: LimitKind::Throttled,
        count: 7,
        limit: None,
        throttling: Some(Throttling {
            periods: 9,
            waited_ns: 62_000_000,
        }),
    };
    bad.measured[0].limits_hit.push(RepeatedLimitHit { hit, times: 3 });
    let expected = "limit hit: scan: throttled in 7 of 9 periods, for 62.0 ms, 3 such hits";
    assert!(of(&bad).text.contains(expected), "{}", of(&bad).text);
    assert_eq!(of(&bad).verdict, Verdict::Inconclusive);
}

#[test]
fn a_comparison_of_two_cells_asks_for_the_controls_of_both() {
    let claims = stated();
    let claim = claim(&claims, "r07-position");
    let mut quantity = measured(claim, "local-pod", 900.0, 100.0);
    quantity.reference = Some(beside("another-cell", "local-pod"));
    let mut evidence = Evidence {
        measured: vec![quantity],
        controls: controls(&claims),
    };
    let found = exploratory(&claims, &evidence, "r07-position");
    assert_eq!(found.verdict, Verdict::Inconclusive);
    let expected = "no A/A control in local-pod of another-cell";
    assert!(found.text.contains(expected), "{}", found.text);
    let of_the_other = controls(&claims).into_iter().map(|mut control| {
        "another-cell".clone_into(&mut control.run);
        control
    });
    evidence.controls.extend(of_the_other);
    assert_eq!(
        exploratory(&claims, &evidence, "r07-position").verdict,
        Verdict::Supported
    );
}

#[test]
fn a_claim_asks_for_the_controls_that_it_names() {
    let claims = stated();
    for (id, needed, without_calibration) in [
        ("r01-spread", NeededControls::AA, Verdict::Supported),
        ("r01-effect", NeededControls::Both, Verdict::Inconclusive),
    ] {
        let claim = claim(&claims, id);
        assert_eq!(claim.controls, needed);
        let value = if id == "r01-spread" { 3.0 } else { 0.0 };
        let mut evidence = Evidence {
            measured: vec![measured(claim, "local-bridge / local-pod", value, 0.5)],
            controls: controls(&claims),
        };
        assert_eq!(exploratory(&claims, &evidence, id).verdict, Verdict::Supported);
        evidence.controls.retain(|control| control.kind == ControlKind::AA);
        assert_eq!(exploratory(&claims, &evidence, id).verdict, without_calibration);
        evidence.controls.retain(|control| control.condition != "local-pod");
        assert_eq!(exploratory(&claims, &evidence, id).verdict, Verdict::Inconclusive);
    }
}

#[test]
fn the_bound_of_a_control_is_the_larger_end_of_its_90_percent_interval() {
    // numpy and scipy: m = 24.4, s = 12.4016; 24.4 + scipy.stats.t.ppf(0.95, 4) * s / 5**0.5.
    let error: Estimate = estimate(&[10.0, 20.0, 30.0, 22.0, 40.0]).unwrap();
    let bound = systematic::bound(&error);
    let expected = error.value + 2.131_846_786_326_649 * error.standard_error();
    assert!((bound - expected).abs() < 1e-9, "{bound} {expected}");
    let mirrored: Estimate = estimate(&[-10.0, -20.0, -30.0, -22.0, -40.0]).unwrap();
    assert!((systematic::bound(&mirrored) - expected).abs() < 1e-9);
}

#[test]
fn the_total_interval_of_a_ratio_contains_the_ratios_of_all_shifts() {
    let ratio = |one: f64, other: f64| {
        let (one, other) = (10.0 + one, 2.0 + other);
        (other > 0.5).then_some((one / other, ((one - 1.0) / other, (one + 1.0) / other)))
    };
    let total = systematic::ratio([2.0, 0.5], ratio).unwrap();
    assert_eq!(total, Interval::new(5.0, (7.0 / 2.5, 13.0 / 1.5)));
    assert_eq!(
        systematic::ratio([0.0, 0.0], ratio).unwrap(),
        Interval::new(5.0, (4.5, 5.5))
    );
    assert_eq!(systematic::ratio([2.0, 1.5], ratio), None, "the divisor may be zero");
}

#[test]
fn misses_are_counted_over_all_runs_of_a_machine() {
    let control = |missed: bool| ControlResult {
        kind: ControlKind::AA,
        run: RUN.to_owned(),
        source: None,
        machine: MACHINE.to_owned(),
        condition: "local-pod".to_owned(),
        interval: Interval::new(5.0, (if missed { 1.0 } else { -1.0 }, 9.0)),
        bound_ns: 8.5,
    };
    let of = |missed: usize| {
        let controls: Vec<ControlResult> = (0..20).map(|index| control(index < missed)).collect();
        let found = misses(&controls);
        assert_eq!(found.len(), 1, "the calibration was never measured");
        (found[0].missed.successes, found[0].p_value)
    };
    // scipy.stats.binomtest(1, 20, 0.05).pvalue and of 5.
    assert_eq!(of(1).0, 1);
    // Machines are counted apart.
    let mut controls = vec![control(true), control(false)];
    controls[1].machine = "another".to_owned();
    let found = misses(&controls);
    let counts: Vec<(&str, u64)> = found
        .iter()
        .map(|one| (one.machine.as_str(), one.missed.successes))
        .collect();
    assert_eq!(counts, [(MACHINE, 1), ("another", 0)]);
    assert!((of(1).1 - 1.0).abs() < 1e-9, "{}", of(1).1);
    assert!((of(5).1 - 0.002_573_940_334_652_279).abs() < 1e-9, "{}", of(5).1);
}

#[test]
fn a_quantity_of_another_unit_is_refused() {
    let claims = stated();
    let claim = claim(&claims, "r09-information");
    let mut evidence = evidence(&claims, claim, 0.1, 0.01);
    evidence.measured[0].unit = Unit::Ns;
    let error = judge(&claims, None, &evidence).unwrap_err().to_string();
    assert!(
        error.contains("nanoseconds") && error.contains("r09-information"),
        "{error}"
    );
}

#[test]
fn the_table_has_a_column_of_verdicts_and_an_exploratory_one() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let evidence = Evidence {
        measured: vec![measured(claim, "local-pod", 900.0, 100.0)],
        controls: controls(&claims),
    };
    let text =
        |plan: Option<&CurrentPlan>| table(&judge(&claims, plan, &evidence).unwrap(), &misses(&evidence.controls));
    let without_a_plan = text(None);
    for number in 1..=10 {
        assert!(without_a_plan.contains(&format!("\n{number}. ")), "{without_a_plan}");
    }
    let has_line = |text: &str, words: [&str; 3]| {
        let columns = |line: &str| {
            line.split("  ")
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                == words
        };
        assert!(text.lines().any(columns), "{words:?}: {text}");
    };
    has_line(&without_a_plan, ["claim", "verdict", "exploratory"]);
    has_line(&without_a_plan, ["r06-parts", "not run", "supported (emulated only)"]);
    has_line(&without_a_plan, ["r03-cost", "not run", "not run"]);
    assert!(
        without_a_plan.contains("from: local-pod (emulated); not run: local-bridge"),
        "{without_a_plan}"
    );
    assert!(
        without_a_plan.contains(&format!("A/A control on {MACHINE}: 0 of")),
        "{without_a_plan}"
    );
    let plan = plan("r06-parts", RowCombination::Every, &["local-pod"]);
    has_line(
        &text(Some(&plan)),
        ["r06-parts", "supported (emulated only)", "not run"],
    );
}

#[test]
fn a_file_that_is_wrong_is_refused_with_line_and_key() {
    let text = include_str!("../../claims.toml");
    let refused = |from: &str, to: &str, expected: &[&str]| {
        assert!(text.contains(from), "{from}");
        let error = Claims::parse("claims.toml", &text.replacen(from, to, 1))
            .unwrap_err()
            .to_string();
        for part in expected {
            assert!(error.contains(part), "expected {part} in: {error}");
        }
    };
    let line = |key: &str| format!("line {}", 1 + text[..text.find(key).unwrap()].matches('\n').count());
    let says = "says = \"Two namespaces";
    refused(
        says,
        &format!("sais = 1\n{says}"),
        &["sais", "unknown field", &line(says)],
    );
    refused("threshold = 1.0\n", "", &["missing field `threshold`", "line "]);
    refused(
        "threshold_from = \"equal spread; the MDE",
        "x = \"",
        &["unknown field `x`", "line "],
    );
    refused(
        "controls = \"a_a\"",
        "controls = \"all\"",
        &["unknown variant `all`", &line("controls = \"a_a\"")],
    );
    refused(
        "direction = \"above\"",
        "direction = \"up\"",
        &["unknown variant `up`", "line "],
    );
    refused("number = 4", "number = 5", &["number", "expected 1 to 10, each once"]);
    refused(
        "id = \"r01-effect\"",
        "id = \"r01-spread\"",
        &["r01-spread", "used twice"],
    );
    refused(
        "threshold = 300.0",
        "threshold = -1.0",
        &["r01-effect", "threshold: -1", "above 0"],
    );
}

#[test]
fn a_moved_quantity_has_the_other_truth_and_the_precision_of_its_unit() {
    let claims = stated();
    let time = measured(claim(&claims, "r06-parts"), "local-pod", 500.0, 100.0);
    assert_eq!(time.moved(480.0, 100.0).interval, Interval::new(120.0, (20.0, 220.0)));
    let ratio = measured(claim(&claims, "r01-spread"), "local-bridge / local-pod", 4.0, 2.0).moved(4.0, 1.0);
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    for interval in [ratio.interval, ratio.total.unwrap()] {
        near(interval.value, 1.0);
        near(interval.low, 0.5);
        near(interval.high, 1.5);
    }
    let share = measured(claim(&claims, "r09-launches"), "local-pod", 0.8, 0.3).moved(0.8, 0.5);
    near(share.interval.value, 0.5);
    near(share.interval.low, 0.2);
    // A share of more than 1 has no odds.
    near(share.interval.high, 0.8);
}
