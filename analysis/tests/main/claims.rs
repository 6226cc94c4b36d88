//! Claims judged by made-up evidence: both sides of every threshold, gates, limits, texts, and errors of the file.

use analysis::claims::{
    Claim, Claims, ControlKind, ControlResult, Direction, Evidence, Gates, Interval, JudgedClaim, MeasuredQuantity,
    Provenance, Reference, RepeatedLimitHit, Unit, Verdict, judge, misses, table,
};
use model::{LimitHit, LimitKind, Throttling};

const RUN: &str = "a-run";

pub(crate) fn stated() -> Claims {
    Claims::stated().unwrap()
}

fn all(claims: &Claims) -> Vec<&Claim> {
    claims.recommendations.iter().flat_map(|one| &one.claims).collect()
}

fn beside(run: &str, condition: &str) -> Reference {
    Reference {
        run: run.to_owned(),
        condition: condition.to_owned(),
    }
}

pub(crate) fn claim<'a>(claims: &'a Claims, id: &str) -> &'a Claim {
    all(claims).into_iter().find(|claim| claim.id == id).unwrap()
}

/// A quantity for a claim in one of its conditions, with an interval of half-width `half`.
pub(crate) fn measured(claim: &Claim, condition: &str, value: f64, half: f64) -> MeasuredQuantity {
    let (condition, reference) = condition
        .split_once(" / ")
        .map_or((condition, None), |(one, other)| (one, Some(beside(RUN, other))));
    MeasuredQuantity {
        experiment: claim.experiments[0].clone(),
        run: RUN.to_owned(),
        source: None,
        launches: Some(10),
        quantity: claim.quantity.clone(),
        condition: condition.to_owned(),
        reference,
        provenance: Provenance::of(condition),
        unit: claim.unit,
        interval: Interval::new(value, (value - half, value + half)),
        without_flagged: None,
        limits_hit: Vec::new(),
    }
}

/// Controls that hold in every condition that claims name.
pub(crate) fn controls(claims: &Claims) -> Vec<ControlResult> {
    let mut conditions: Vec<&str> = all(claims)
        .iter()
        .flat_map(|claim| &claim.conditions)
        .flat_map(|condition| condition.split(" / "))
        .collect();
    conditions.sort_unstable();
    conditions.dedup();
    let control = |condition: &&str, kind| ControlResult {
        kind,
        run: RUN.to_owned(),
        source: None,
        condition: (*condition).to_owned(),
        server: "synthetic".to_owned(),
        interval: Interval::new(10.0, (-20.0, 40.0)),
    };
    conditions
        .iter()
        .flat_map(|condition| ControlKind::ALL.map(|kind| control(condition, kind)))
        .collect()
}

pub(crate) fn judged(claims: &Claims, evidence: &Evidence, id: &str) -> JudgedClaim {
    let all = judge(claims, evidence).unwrap();
    all.into_iter()
        .flat_map(|one| one.claims)
        .find(|claim| claim.id == id)
        .unwrap()
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
    for claim in all(&claims) {
        let scale = claim.threshold.abs().max(0.01);
        let (inside, outside) = match claim.direction {
            Direction::Above => (claim.threshold + scale, claim.threshold - scale),
            Direction::Below => (claim.threshold - scale, claim.threshold + scale),
            Direction::Within => (claim.around, claim.around + 2.0 * scale),
        };
        let verdict = |value, half| {
            let found = judged(&claims, &evidence(&claims, claim, value, half), &claim.id);
            assert!(found.text.contains(&found.expectation), "{}", found.text);
            assert!(found.text.contains(&found.verdict.to_string()), "{}", found.text);
            (found.verdict, found.text)
        };
        let (supported, supported_text) = verdict(inside, scale / 2.0);
        let (refuted, refuted_text) = verdict(outside, scale / 2.0);
        assert_eq!(supported, Verdict::Supported, "{}: {supported_text}", claim.id);
        assert_eq!(refuted, Verdict::NotSupported, "{}: {refuted_text}", claim.id);
        // The text has the number itself, so that other data give another text.
        assert_ne!(supported_text, refuted_text);
        assert!(supported_text.contains(&claim.unit.number(inside)), "{supported_text}");
        // An interval over the threshold says neither.
        assert_eq!(verdict(inside, 3.0 * scale).0, Verdict::Inconclusive, "{}", claim.id);
        assert_eq!(verdict(inside, f64::INFINITY).0, Verdict::Inconclusive, "{}", claim.id);
        // Without data there is no verdict.
        let none = judged(&claims, &Evidence::default(), &claim.id);
        assert_eq!(none.verdict, Verdict::NotRun);
        assert!(none.text.contains(&claim.experiments[0]), "{}", none.text);
        assert_eq!(none.not_run, claim.conditions);
    }
}

#[test]
fn a_wrong_sign_that_excludes_zero_is_not_supported() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let mut evidence = evidence(&claims, claim, 900.0, 100.0);
    assert_eq!(judged(&claims, &evidence, "r06-parts").verdict, Verdict::Supported);
    // The two arms swapped.
    for measured in &mut evidence.measured {
        let Interval { value, low, high } = measured.interval;
        measured.interval = Interval::new(-value, (-high, -low));
    }
    let found = judged(&claims, &evidence, "r06-parts");
    assert_eq!(found.verdict, Verdict::NotSupported);
    assert!(
        found.text.contains("\u{2212}0.90 [\u{2212}1.00, \u{2212}0.80] µs"),
        "{}",
        found.text
    );
}

#[test]
fn a_failed_or_missing_control_and_a_limit_make_it_inconclusive_and_say_why() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let condition = claim.conditions[0].as_str();
    let good = Evidence {
        measured: vec![measured(claim, condition, 900.0, 100.0)],
        controls: controls(&claims),
    };
    let of = |evidence: &Evidence| judged(&claims, evidence, "r06-parts");
    assert_eq!(of(&good).verdict, Verdict::Supported);

    // Beyond the margin, and over it.
    for interval in [
        Interval::new(400.0, (350.0, 450.0)),
        Interval::new(0.0, (-400.0, 400.0)),
    ] {
        let mut bad = good.clone();
        for control in bad.controls.iter_mut().filter(|one| one.kind == ControlKind::AA) {
            control.interval = interval;
        }
        let found = of(&bad);
        assert_eq!(found.verdict, Verdict::Inconclusive);
        assert!(found.text.contains("but A/A control in local-pod is"), "{}", found.text);
        assert!(found.text.contains("expected 0.00 ± 0.30 µs"), "{}", found.text);
        // A server that is allowed more passes with the first.
        for control in &mut bad.controls {
            "nginx".clone_into(&mut control.server);
        }
        assert_eq!(of(&bad).verdict, Verdict::Supported);
    }
    let mut bad = good.clone();
    bad.controls.retain(|control| control.kind != ControlKind::Calibration);
    assert!(
        of(&bad).text.contains("no calibration in local-pod"),
        "{}",
        of(&bad).text
    );
    assert_eq!(of(&bad).verdict, Verdict::Inconclusive);
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
    let found = judged(&claims, &evidence, "r07-position");
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(
        found.text.contains("no A/A control in local-pod of another-cell"),
        "{}",
        found.text
    );
    let of_the_other = controls(&claims).into_iter().map(|mut control| {
        "another-cell".clone_into(&mut control.run);
        control
    });
    evidence.controls.extend(of_the_other);
    assert_eq!(judged(&claims, &evidence, "r07-position").verdict, Verdict::Supported);
}

#[test]
fn a_comparison_asks_for_the_controls_that_its_claim_names() {
    let claims = stated();
    for (id, gates, noisy) in [
        ("r01-spread", Gates::Reference, Verdict::Supported),
        ("r01-effect", Gates::All, Verdict::Inconclusive),
    ] {
        let claim = claim(&claims, id);
        assert_eq!(claim.gates, gates);
        let value = if id == "r01-spread" { 3.0 } else { 0.0 };
        let mut evidence = Evidence {
            measured: vec![measured(claim, "local-bridge / local-pod", value, 0.5)],
            controls: controls(&claims),
        };
        assert_eq!(judged(&claims, &evidence, id).verdict, Verdict::Supported);
        let fail = |evidence: &mut Evidence, condition: &str| {
            let of = |control: &&mut ControlResult| control.condition == condition;
            for control in evidence.controls.iter_mut().filter(of) {
                control.interval = Interval::new(0.0, (-900.0, 900.0));
            }
        };
        fail(&mut evidence, "local-bridge");
        assert_eq!(judged(&claims, &evidence, id).verdict, noisy);
        fail(&mut evidence, "local-pod");
        assert_eq!(judged(&claims, &evidence, id).verdict, Verdict::Inconclusive);
    }
}

#[test]
fn misses_are_counted_over_all_runs() {
    let control = |missed: bool| ControlResult {
        kind: ControlKind::AA,
        run: RUN.to_owned(),
        source: None,
        condition: "local-pod".to_owned(),
        server: "synthetic".to_owned(),
        interval: Interval::new(5.0, (if missed { 1.0 } else { -1.0 }, 9.0)),
    };
    let of = |missed: usize| {
        let controls: Vec<ControlResult> = (0..20).map(|index| control(index < missed)).collect();
        let found = misses(&controls);
        assert_eq!(found.len(), 1, "the calibration was never measured");
        (found[0].missed.successes, found[0].p_value)
    };
    // scipy.stats.binomtest(1, 20, 0.05).pvalue and of 5.
    assert_eq!(of(1).0, 1);
    assert!((of(1).1 - 1.0).abs() < 1e-9, "{}", of(1).1);
    assert!((of(5).1 - 0.002_573_940_334_652_279).abs() < 1e-9, "{}", of(5).1);
}

#[test]
fn a_quantity_of_another_unit_is_refused() {
    let claims = stated();
    let claim = claim(&claims, "r09-information");
    let mut evidence = evidence(&claims, claim, 0.1, 0.01);
    evidence.measured[0].unit = Unit::Ns;
    let error = judge(&claims, &evidence).unwrap_err().to_string();
    assert!(
        error.contains("nanoseconds") && error.contains("r09-information"),
        "{error}"
    );
}

#[test]
fn the_table_has_every_recommendation_and_what_is_emulated() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let evidence = Evidence {
        measured: vec![measured(claim, "local-pod", 900.0, 100.0)],
        controls: controls(&claims),
    };
    let text = table(&judge(&claims, &evidence).unwrap(), &misses(&evidence.controls));
    for number in 1..=10 {
        assert!(
            text.contains(&format!("\n{number}. ")) || text.starts_with(&format!("{number}. ")),
            "{text}"
        );
    }
    assert!(
        text.contains("from: local-pod (emulated); not run: local-bridge"),
        "{text}"
    );
    assert!(
        text.contains("r06-parts: SUPPORTED") && text.contains("r03-cost: NOT RUN"),
        "{text}"
    );
    assert!(text.contains("A/A control: 0 of"), "{text}");
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
        "a_a_margin_ns = 300",
        "a_a_margin_ns = -300",
        &[
            "expected a number above 0",
            "a_a_margin_ns",
            &line("a_a_margin_ns = 300"),
        ],
    );
    refused(
        "direction = \"above\"",
        "direction = \"up\"",
        &["unknown variant `up`", "line "],
    );
    refused("[controls.any]", "[controls.some]", &["[controls.any]", "missing"]);
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
    refused("at_least = 4", "at_least = 5", &["r09-information", "at_least: 5"]);
}
