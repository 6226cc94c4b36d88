//! Two recordings alone do not show the cost of a hook, and the answer has the reasons.

use analysis::ssp2023::{
    RecordingOrder, StudyAnswer, Told, a_a_by_halves, answer, answers_text, dependence, recompute,
};

/// A recording of 4,000 requests around a level, with a trend.
fn recording(level_ns: i64, trend_ns: i64) -> Vec<i64> {
    (0..4_000_i64)
        .map(|request| level_ns + trend_ns * request / 4_000 + request * 7_919 % 1_009 * 100)
        .collect()
}

fn answered(unmodified: &[i64], hook: &[i64], order: RecordingOrder) -> StudyAnswer {
    let row = recompute("docker", unmodified, hook, 0).unwrap();
    let halves = [
        a_a_by_halves("docker", "unmodified", unmodified, 0).unwrap(),
        a_a_by_halves("docker", "hook", hook, 0).unwrap(),
    ];
    answer(
        &row,
        &dependence("docker", unmodified, hook, 0).unwrap(),
        &halves,
        order,
    )
}

const LATER: RecordingOrder = RecordingOrder {
    unmodified_unix_ns: 1_000_000_000,
    hook_unix_ns: 3_601_000_000_000,
};

#[test]
fn one_launch_of_each_arm_cannot_tell_whatever_the_difference() {
    let found = answered(&recording(1_000_000, 0), &recording(1_500_000, 0), LATER);
    assert_eq!(found.told, Told::CannotBeTold);
    assert!((found.difference_ms - 0.5).abs() < 1e-9 && (found.later_s - 3_600.0).abs() < 1e-9);
    assert_eq!(found.reasons.len(), 2, "{found:?}");
    let text = answers_text(&[found]);
    assert!(
        text.contains("docker: +0.500 ms, cannot be told from this data"),
        "{text}"
    );
    assert!(text.contains("60 minutes apart"), "{text}");
}

#[test]
fn a_drift_an_interval_with_zero_and_a_wrong_sign_are_reasons_of_their_own() {
    let found = answered(&recording(1_000_000, 400_000), &recording(999_000, 400_000), LATER);
    assert!(
        found.difference_ms < 0.0 && (found.itself_ms - 0.2).abs() < 0.01,
        "{found:?}"
    );
    for reason in ["halves of one program", "contains zero", "cannot make a program faster"] {
        assert!(
            found.reasons.iter().any(|other| other.contains(reason)),
            "{reason}: {found:?}"
        );
    }
}
