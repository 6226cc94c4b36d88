//! The verdict on a claim from several conditions and runs.

use analysis::claims::{Evidence, Interval, MeasuredQuantity, RunOrigin, Verdict};

use crate::claims::{claim, controls, judged, measured, stated};

#[test]
fn conditions_and_runs_are_weighed_together() {
    let claims = stated();
    let claim = claim(&claims, "r09-information");
    let of = |values: &[(&str, f64)]| {
        let evidence = Evidence {
            measured: values
                .iter()
                .map(|(condition, value)| measured(claim, condition, *value, 0.01))
                .collect(),
            controls: Vec::new(),
        };
        judged(&claims, &evidence, &claim.id)
    };
    let three = [("docker", 0.1), ("kind", 0.1), ("eks-pod", 0.1)];
    let found = of(&three);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(
        found.text.contains("data from 3 conditions, 4 needed"),
        "{}",
        found.text
    );
    assert_eq!(found.not_run, ["eks-nodes"]);
    assert_eq!(
        of(&[&three[..], &[("eks-nodes", 0.1)]].concat()).verdict,
        Verdict::Supported
    );
    assert_eq!(
        of(&[&three[..], &[("eks-nodes", 0.9)]].concat()).verdict,
        Verdict::NotSupported
    );
    // Two runs of one condition that contradict each other.
    let found = of(&[&three[..], &[("eks-nodes", 0.9), ("eks-nodes", 0.1)]].concat());
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.text.contains("runs disagree"), "{}", found.text);
    // A run that cannot say leaves the word to one that can.
    let found = of(&[&three[..], &[("eks-nodes", 0.5), ("eks-nodes", 0.1)]].concat());
    assert_eq!(found.verdict, Verdict::Supported);
}

#[test]
fn recorded_runs_and_the_readers_own_are_told_apart_where_there_are_both() {
    let claims = stated();
    let claim = claim(&claims, "r06-parts");
    let one = |value| Evidence {
        measured: vec![measured(claim, "local-pod", value, 100.0)],
        controls: controls(&claims),
    };
    let text = |evidence: &Evidence| judged(&claims, evidence, "r06-parts").text;
    let mut recorded = one(900.0).of(RunOrigin::Recorded);
    recorded.extend(one(800.0).of(RunOrigin::Recorded));
    assert!(
        text(&recorded).ends_with("local-pod supported: 0.90 [0.80, 1.00] µs and 0.80 [0.70, 0.90] µs"),
        "{}",
        text(&recorded)
    );
    let mut both = recorded.clone();
    both.extend(one(700.0).of(RunOrigin::Yours));
    assert!(
        text(&both).ends_with(
            "local-pod supported: recorded 0.90 [0.80, 1.00] µs and 0.80 [0.70, 0.90] µs, yours 0.70 [0.60, 0.80] µs"
        ),
        "{}",
        text(&both)
    );
    // A control of the reader's run says nothing of a recorded run with the same name.
    let mut failed = one(700.0).of(RunOrigin::Yours);
    for control in &mut failed.controls {
        control.interval = Interval::new(400.0, (350.0, 450.0));
    }
    recorded.extend(failed);
    let found = judged(&claims, &recorded, "r06-parts");
    let verdicts: Vec<Verdict> = found.rows.iter().map(|row| row.verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Supported, Verdict::Supported, Verdict::Inconclusive]
    );
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
    let found = judged(&claims, &evidence, "r06-parts");
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.text.ends_with("but 9 launches, fewer than 10"), "{}", found.text);
    // Neither in the condition of one that decides, nor in another.
    evidence.measured.push(measured(claim, "local-pod", 900.0, 100.0));
    evidence.measured.push(small("docker"));
    let found = judged(&claims, &evidence, "r06-parts");
    assert_eq!(found.verdict, Verdict::Supported, "{}", found.text);
    assert_eq!(found.rows.len(), 3);
}
