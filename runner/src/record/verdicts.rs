//! The verdicts that the ledger keeps: `report` judges the claims that have a primary row in a recorded run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use model::RegisteredPlan;
use serde::Deserialize;

use crate::record::plan_file::{PlanFile, REGISTERED};

/// The program that judges, beside the runner.
const REPORT: &str = "report";

/// The part of the output of `report claims --format json` that the ledger keeps.
#[derive(Deserialize)]
struct JudgedOutput {
    recommendations: Vec<RecommendationOutput>,
}

#[derive(Deserialize)]
struct RecommendationOutput {
    claims: Vec<ClaimOutput>,
}

#[derive(Deserialize)]
struct ClaimOutput {
    id: String,
    registered: JudgementOutput,
}

/// A claim's judgement by its primary rows.
#[derive(Deserialize)]
struct JudgementOutput {
    verdict: String,
}

/// Checks that the claims of a plan can be judged.
///
/// # Errors
/// If `report` was not built, or the plan has claims and is not the project's.
pub(super) fn can_judge(plan: &PlanFile, binaries: &Path) -> Result<()> {
    if plan.plan.claims.is_empty() {
        return Ok(());
    }
    ensure!(
        plan.path == Path::new(REGISTERED),
        "{} has [[claim]], and claims are judged by {REGISTERED} alone; leave them out of other plans",
        plan.path.display()
    );
    ensure!(
        binaries.join(REPORT).exists(),
        "{REPORT} is not in {}; build it by `cargo xtask build`",
        binaries.display()
    );
    Ok(())
}

/// Returns the verdict of each claim that has a primary row in the run, by the claim's id, from the recorded runs of this machine
/// in `folder`.
///
/// # Errors
/// If `report` fails or does not judge one of the claims.
pub(super) fn of(plan: &PlanFile, run: &str, folder: &Path, binaries: &Path) -> Result<BTreeMap<String, String>> {
    let (ids, runs) = concerned(&plan.plan, run);
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut command = Command::new(binaries.join(REPORT));
    // No claim of the plan is about the recordings of 2023.
    command.args(["claims", "--format", "json", "--study", "none"]);
    for run in runs.iter().map(|run| folder.join(run)).filter(|folder| folder.is_dir()) {
        command.arg("--run").arg(run);
    }
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {}", binaries.join(REPORT).display()))?;
    ensure!(
        output.status.success(),
        "`report claims` failed; its own message stands above"
    );
    of_claims(&output.stdout, &ids)
}

/// Returns the verdicts of claims in the output of `report claims --format json`.
fn of_claims(output: &[u8], ids: &[&str]) -> Result<BTreeMap<String, String>> {
    let judged: JudgedOutput = serde_json::from_slice(output).context("the output of `report claims`")?;
    let claims = judged
        .recommendations
        .into_iter()
        .flat_map(|recommendation| recommendation.claims);
    let mut verdicts: BTreeMap<String, String> = claims.map(|claim| (claim.id, claim.registered.verdict)).collect();
    verdicts.retain(|id, _| ids.contains(&&**id));
    for id in ids {
        ensure!(
            verdicts.contains_key(*id),
            "`report claims` judges no claim {id}; analysis/claims.toml has the claims"
        );
    }
    Ok(verdicts)
}

/// Returns the ids of the claims that have a primary row in a run, and the runs of all of their rows.
fn concerned<'a>(plan: &'a RegisteredPlan, run: &str) -> (Vec<&'a str>, Vec<PathBuf>) {
    let claims = plan
        .claims
        .iter()
        .filter(|claim| claim.rows.iter().any(|row| row.run == run));
    let mut runs: Vec<PathBuf> = claims
        .clone()
        .flat_map(|claim| claim.rows.iter().map(|row| PathBuf::from(&row.run)))
        .collect();
    runs.sort();
    runs.dedup();
    (claims.map(|claim| claim.id.as_str()).collect(), runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claims_with_a_row_in_the_run_are_judged_by_all_runs_of_their_rows() {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(REGISTERED)).unwrap();
        let mut plan = RegisteredPlan::parse(&text).unwrap();
        plan.claims.truncate(2);
        let [one, other] = &mut plan.claims[..] else {
            panic!("expected two claims");
        };
        let row = one.rows[0].clone();
        let in_run = |run: &str| model::PrimaryRow {
            run: run.to_owned(),
            ..row.clone()
        };
        one.rows = vec![in_run("r02"), in_run("overhead"), in_run("r02")];
        other.rows = vec![in_run("r03")];
        let id = plan.claims[0].id.clone();
        let expected = (vec![&*id], vec![PathBuf::from("overhead"), PathBuf::from("r02")]);
        assert_eq!(concerned(&plan, "overhead"), expected);
        assert_eq!(concerned(&plan, "r09"), (vec![], vec![]));
    }

    #[test]
    fn a_claim_without_a_verdict_is_an_error_that_names_it() {
        let claim = r#"{"id": "a", "says": "x", "registered": {"verdict": "not_supported", "machines": []}}"#;
        let output = format!(r#"{{"recommendations": [{{"number": 1, "claims": [{claim}]}}], "misses": []}}"#);
        let verdicts = of_claims(output.as_bytes(), &["a"]).unwrap();
        assert_eq!(verdicts, BTreeMap::from([("a".to_owned(), "not_supported".to_owned())]));
        assert!(of_claims(output.as_bytes(), &[]).unwrap().is_empty());
        let error = of_claims(output.as_bytes(), &["a", "b"]).unwrap_err().to_string();
        assert!(error.contains("judges no claim b"), "{error}");
    }
}
