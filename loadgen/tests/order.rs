//! The order of a run.

use loadgen::RequestOrder;
use model::{LaunchPlan, Schedule};

const PLAN: &str = r#"{
    "condition": "test", "launch": 0,
    "arms": [{"arm": "a", "address": "127.0.0.1:1"}, {"arm": "b", "address": "127.0.0.1:2"},
             {"arm": "c", "address": "[::1]:3"}, {"arm": "d", "address": "127.0.0.1:4"}],
    "request": {"method": "GET", "path": "/", "headers": [["User-Agent", "x"]], "body": ""},
    "schedule": "interleaved", "rounds": 50, "warm_up_rounds": 5, "segment_rounds": 10,
    "wait": "sleep", "cpu": null, "seed": 7, "timeout_ms": 1000, "max_error_share": 0.0, "output": "x.parquet"
}"#;

fn plan() -> LaunchPlan {
    LaunchPlan::from_json(PLAN).expect("a valid plan")
}

fn order(plan: &LaunchPlan) -> Vec<(u32, Vec<u16>)> {
    let mut steps = RequestOrder::new(plan);
    let mut all = Vec::new();
    while let Some(step) = steps.advance() {
        all.push((step.round, step.arms.to_vec()));
    }
    all
}

#[test]
fn every_round_is_a_permutation_and_the_seed_decides_which() {
    let plan = plan();
    let steps = order(&plan);
    assert_eq!(steps.len(), 50);
    for (number, (round, arms)) in (0..).zip(&steps) {
        assert_eq!(*round, number);
        let mut sorted = arms.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
    }
    assert_eq!(order(&plan), steps, "the same seed, the same order");
    assert_ne!(order(&LaunchPlan { seed: 8, ..plan }), steps);
    let first: std::collections::HashSet<u16> = steps.iter().map(|(_, arms)| arms[0]).collect();
    assert_eq!(first.len(), 4, "each arm comes first now and then");
}

#[test]
fn the_sequential_schedule_ends_one_arm_before_the_next() {
    let steps = order(&LaunchPlan {
        schedule: Schedule::Sequential,
        rounds: 3,
        warm_up_rounds: 0,
        ..plan()
    });
    let flat: Vec<(u16, u32)> = steps.iter().map(|(round, arms)| (arms[0], *round)).collect();
    let expected: Vec<(u16, u32)> = (0..4).flat_map(|arm| (0..3).map(move |round| (arm, round))).collect();
    assert_eq!(flat, expected);
    assert!(steps.iter().all(|(_, arms)| arms.len() == 1));
}
