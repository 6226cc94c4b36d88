//! Plans that cannot be meant, and the order of a run.

use loadgen::{Plan, Schedule, Steps};

const PLAN: &str = r#"{
    "condition": "test", "launch": 0,
    "arms": [{"arm": "a", "address": "127.0.0.1:1"}, {"arm": "b", "address": "127.0.0.1:2"},
             {"arm": "c", "address": "[::1]:3"}, {"arm": "d", "address": "127.0.0.1:4"}],
    "request": {"method": "GET", "path": "/", "headers": [["User-Agent", "x"]], "body": ""},
    "schedule": "interleaved", "rounds": 50, "warm_up_rounds": 5, "segment_rounds": 10,
    "wait": "sleep", "cpu": null, "seed": 7, "timeout_ms": 1000, "max_error_share": 0.0, "output": "x.parquet"
}"#;

fn plan() -> Plan {
    Plan::from_json(PLAN).expect("a valid plan")
}

fn order(plan: &Plan) -> Vec<(u32, Vec<u16>)> {
    let mut steps = Steps::new(plan);
    let mut all = Vec::new();
    while let Some(step) = steps.advance() {
        all.push((step.round, step.arms.to_vec()));
    }
    all
}

#[test]
fn a_wrong_plan_names_the_key_and_what_was_expected() {
    for (from, to, words) in [
        ("\"seed\": 7", "\"sead\": 7", &["sead", "seed"][..]),
        ("\"rounds\": 50", "\"rounds\": -50", &["rounds", "-50", "negative"]),
        ("\"rounds\": 50", "\"rounds\": 0", &["rounds", "1 to"]),
        ("\"rounds\": 50", "\"rounds\": 4294967296", &["rounds", "4294967295"]),
        ("\"rounds\": 50, ", "", &["rounds", "missing"]),
        (
            "\"warm_up_rounds\": 5",
            "\"warm_up_rounds\": 50",
            &["warm_up_rounds", "fewer"],
        ),
        (
            "\"segment_rounds\": 10",
            "\"segment_rounds\": 0",
            &["segment_rounds", "at least 1"],
        ),
        ("\"timeout_ms\": 1000", "\"timeout_ms\": 0", &["timeout_ms"]),
        (
            "\"max_error_share\": 0.0",
            "\"max_error_share\": 1.5",
            &["max_error_share", "1.5", "0 to 1"],
        ),
        ("\"wait\": \"sleep\"", "\"wait\": \"nap\"", &["nap", "spin", "sleep"]),
        ("\"arm\": \"b\"", "\"arm\": \"a\"", &["arms", "`a`", "twice"]),
        ("\"method\": \"GET\"", "\"method\": \"GET /\"", &["request.method"]),
        ("\"path\": \"/\"", "\"path\": \"x\"", &["request.path"]),
        ("\"rounds\"", "\"threads\": 0, \"rounds\"", &["`threads`", "at least 1"]),
        (
            "\"rounds\"",
            "\"connections\": 40000, \"threads\": 2, \"rounds\"",
            &["`connections`", "65535"],
        ),
        (
            "\"User-Agent\", \"x\"",
            "\"User-Agent\", \"x\\r\\nEvil: 1\"",
            &["request.headers"],
        ),
        (
            "\"User-Agent\", \"x\"",
            "\"Content-Length\", \"3\"",
            &["request.headers"],
        ),
    ] {
        assert!(PLAN.contains(from), "{from}");
        let error = Plan::from_json(&PLAN.replacen(from, to, 1)).expect_err(to).to_string();
        for word in words {
            assert!(error.contains(word), "`{word}` is not in: {error}");
        }
    }
    let start = PLAN.find("[{").expect("arms");
    let end = PLAN.find("}],").expect("arms") + 2;
    let empty = format!("{}[]{}", &PLAN[..start], &PLAN[end..]);
    let error = Plan::from_json(&empty).expect_err("no arms").to_string();
    assert!(error.contains("arms") && error.contains("1 to"), "{error}");
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
    assert_ne!(order(&Plan { seed: 8, ..plan }), steps);
    let first: std::collections::HashSet<u16> = steps.iter().map(|(_, arms)| arms[0]).collect();
    assert_eq!(first.len(), 4, "each arm comes first now and then");
}

#[test]
fn the_sequential_schedule_ends_one_arm_before_the_next() {
    let steps = order(&Plan {
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
