//! The checklist: every item is met by its evidence, and not without it.

use analysis::claims::ControlKind;
use analysis::principles::{
    ChecklistItem, ControlFact, EffectFact, PrincipleSource, PrincipleStatus, RunFacts, checklist,
};

/// A run that does everything.
fn sound() -> RunFacts {
    let control = |kind, condition: &str| ControlFact {
        kind,
        condition: condition.to_owned(),
        bound: Some("0.05 µs".to_owned()),
    };
    let conditions = ["local-pod", "local-bridge"];
    RunFacts {
        question: Some("What does it cost?".to_owned()),
        metrics: vec!["A/A (median)".to_owned()],
        workload: vec![
            ("request", Some("GET /".to_owned())),
            ("load", Some("closed loop".to_owned())),
        ],
        launches: conditions.map(|condition| (condition.to_owned(), 12)).into(),
        treatments: 3,
        schedule: Some("interleaved".to_owned()),
        setup: vec![
            ("processor", Some("a CPU".to_owned())),
            ("kernel", Some("6.18".to_owned())),
        ],
        revision: Some("0123abc".to_owned()),
        files: 24,
        unchecked_files: Vec::new(),
        effects: vec![EffectFact {
            name: "searching in local-pod".to_owned(),
            interval: true,
            tail: true,
        }],
        controls: conditions
            .iter()
            .flat_map(|condition| ControlKind::ALL.map(|kind| control(kind, condition)))
            .collect(),
        time_columns: vec!["user_send_ns".to_owned()],
        paid_conditions: Vec::new(),
        cost: None,
        start_order_varies: Some(true),
        limits_hit: 0,
        steadiness_known: 24,
        flagged: 1,
        without_flagged: true,
    }
}

fn find(facts: &RunFacts, name: &str) -> ChecklistItem {
    let items = checklist(facts);
    let mut found = items.into_iter().filter(|item| item.name.contains(name));
    let item = found.next().unwrap_or_else(|| panic!("no item {name}"));
    assert!(found.next().is_none(), "several items {name}");
    item
}

#[test]
fn a_sound_run_meets_all_that_applies() {
    let items = checklist(&sound());
    let of = |source| items.iter().filter(|item| item.source == source).count();
    assert_eq!(
        (
            of(PrincipleSource::CloudPrinciples),
            of(PrincipleSource::BenchmarkingStandard)
        ),
        (8, 9)
    );
    for item in &items {
        let expected = if item.name.contains("P8") || item.name.contains("independent replication") {
            PrincipleStatus::NotApplicable
        } else {
            PrincipleStatus::Met
        };
        assert_eq!(item.status, expected, "{}: {}", item.name, item.evidence);
        assert!(!item.evidence.is_empty(), "{}", item.name);
    }
}

#[test]
fn without_its_evidence_an_item_is_not_met() {
    type Change = fn(&mut RunFacts);
    let changes: [(&[&str], Change, &str); 22] = [
        (
            &["P1", "stability"],
            |facts| *facts.launches.values_mut().next().unwrap() = 9,
            "9 in local-bridge",
        ),
        (&["P1", "stability"], |facts| facts.launches.clear(), "no launch"),
        (&["P2"], |facts| _ = facts.launches.remove("local-pod"), "1 condition"),
        (&["P2"], |facts| facts.treatments = 1, "nothing to compare"),
        (
            &["P2"],
            |facts| facts.schedule = Some("sequential".to_owned()),
            "sequential",
        ),
        (&["P2"], |facts| facts.schedule = None, "does not say"),
        (
            &["P3", "describes the setup"],
            |facts| facts.setup[1].1 = None,
            "kernel",
        ),
        (
            &["P3", "describes the setup"],
            |facts| facts.setup.clear(),
            "does not say",
        ),
        (&["P4", "raw data"], |facts| facts.revision = None, "not known"),
        (
            &["P4", "raw data"],
            |facts| facts.revision = Some("0123abc-dirty".to_owned()),
            "dirty",
        ),
        (
            &["P4", "raw data"],
            |facts| facts.unchecked_files.push("observations/x.parquet".to_owned()),
            "x.parquet",
        ),
        (&["P5"], |facts| facts.effects[0].tail = false, "searching in local-pod"),
        (
            &["P5"],
            |facts| facts.effects[0].interval = false,
            "searching in local-pod",
        ),
        (&["P5", "P6"], |facts| facts.effects.clear(), "no effect"),
        (
            &["P6"],
            |facts| _ = facts.controls.remove(0),
            "A/A control in local-pod",
        ),
        (&["P7"], |facts| facts.time_columns.push("start".to_owned()), "start"),
        (&["P7"], |facts| facts.time_columns.clear(), "unit"),
        (
            &["defines", "workload for"],
            |facts| facts.workload[0].1 = None,
            "request",
        ),
        (&["defines"], |facts| facts.question = None, "question"),
        (
            &["merits"],
            |facts| facts.start_order_varies = Some(false),
            "same position",
        ),
        (&["merits"], |facts| facts.limits_hit = 2, "2 times"),
        (
            &["reports problems"],
            |facts| facts.without_flagged = false,
            "1 launches are flagged",
        ),
    ];
    for (names, change, evidence) in changes {
        let mut facts = sound();
        change(&mut facts);
        for name in names {
            let item = find(&facts, name);
            assert_eq!(item.status, PrincipleStatus::NotMet, "{name}: {}", item.evidence);
            assert!(item.evidence.contains(evidence), "{name}: {}", item.evidence);
        }
    }
}

#[test]
fn a_calibration_without_an_interval_or_a_missing_one_leaves_validity_open() {
    let mut facts = sound();
    let item = find(&facts, "construct validity");
    assert!(
        item.evidence.contains("an error of at most 0.05 µs in local-pod"),
        "{}",
        item.evidence
    );
    facts.controls[1].bound = None;
    let item = find(&facts, "construct validity");
    assert_eq!(item.status, PrincipleStatus::NotMet);
    assert!(item.evidence.contains("has no interval"), "{}", item.evidence);
    facts.controls.retain(|control| control.kind == ControlKind::AA);
    assert!(find(&facts, "construct validity").evidence.contains("no known delay"));
}

#[test]
fn what_is_paid_for_has_a_price() {
    let mut facts = sound();
    facts.paid_conditions.push("eks-pod".to_owned());
    assert_eq!(find(&facts, "P8").status, PrincipleStatus::NotMet);
    facts.cost = Some("about 2 USD".to_owned());
    let item = find(&facts, "P8");
    assert_eq!(
        (item.status, item.evidence.as_str()),
        (PrincipleStatus::Met, "about 2 USD")
    );
}
