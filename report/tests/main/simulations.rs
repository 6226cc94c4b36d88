//! Simulations with the launches of a recorded run.

use std::path::PathBuf;

use serde_json::Value;

use crate::program::{failure, output, report};

/// A recording of `r05` in two conditions, 40 launches each.
fn recorded() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/reference/amd-epyc-19h-01h-1-avx2-kvm-2cpu")
}

#[test]
fn recorded_launches_give_the_power_of_a_claim_and_claims_without_a_recording_are_named() {
    let out = tempfile::tempdir().unwrap();
    let mut command = report();
    command
        .args(["simulate", "claims", "--experiments", "3", "--recorded"])
        .arg(recorded());
    let text = output(command.arg("--out").arg(out.path()));
    assert!(
        text.contains("r01-spread is not simulated: 0 of its 2 primary rows"),
        "{text}"
    );
    let study: Value = serde_json::from_str(&std::fs::read_to_string(out.path().join("claims.json")).unwrap()).unwrap();
    let claims = study["claims"].as_array().unwrap();
    let ids: Vec<&str> = claims.iter().map(|claim| claim["claim"].as_str().unwrap()).collect();
    assert_eq!(ids, ["r05-client", "r05-layers"]);
    for claim in claims {
        assert_eq!(
            (&claim["rows"], &claim["at_least_effect"]["trials"]),
            (&2.into(), &3.into())
        );
        let supported = |key: &str| claim[key]["successes"].as_u64().unwrap();
        assert!(supported("at_threshold") <= supported("at_least_effect"), "{claim}");
    }
    let empty = tempfile::tempdir().unwrap();
    let mut command = report();
    command.args(["simulate", "claims", "--recorded"]).arg(empty.path());
    let error = failure(&mut command);
    assert!(
        error.contains("no run of the plan; expected folders named overhead"),
        "{error}"
    );
}

#[test]
fn recorded_launches_give_the_coverage_of_total_intervals() {
    let mut command = report();
    command
        .args(["simulate", "totals", "--experiments", "40", "--recorded"])
        .arg(recorded());
    let text = output(&mut command);
    for words in ["shared by all contrasts", "independent of each other", "0.20", "none"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
