//! The registered plan: the runs to record, with their lengths and budgets, and the primary rows of each claim.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::invalid_value::require;
use crate::planned_claim::PlannedClaim;
use crate::planned_run::{PlanPart, PlannedRun, require_path, require_sha256};

/// Version of the plan's format. A reader refuses any other.
pub const REGISTERED_PLAN_VERSION: u32 = 1;

/// The contents of `experiments/plan.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisteredPlan {
    /// [`REGISTERED_PLAN_VERSION`].
    pub version: u32,
    /// The time that recordings may take.
    pub budget: PlanBudget,
    /// SHA-256, in hexadecimal, of each other file on which recordings and verdicts depend: the claims, and the files that
    /// definitions name.
    pub files: BTreeMap<PathBuf, String>,
    /// The recorded runs, in the order of recording.
    #[serde(rename = "run")]
    pub runs: Vec<PlannedRun>,
    /// The claims that the runs decide.
    #[serde(rename = "claim", default)]
    pub claims: Vec<PlannedClaim>,
}

/// The time that the recordings of one machine may take, minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanBudget {
    /// All runs of [`PlanPart::Local`].
    pub local_min: f64,
    /// All runs of [`PlanPart::Engines`].
    pub engines_min: f64,
    /// Blind trials (`cargo xtask challenge`).
    pub challenge_min: f64,
    /// Applications of several services.
    pub applications_min: f64,
}

impl PlanBudget {
    /// Returns the time of the runs of a part, minutes.
    #[must_use]
    pub const fn of(&self, part: PlanPart) -> f64 {
        match part {
            PlanPart::Local => self.local_min,
            PlanPart::Engines => self.engines_min,
        }
    }
}

impl RegisteredPlan {
    /// Reads a plan and validates it.
    ///
    /// # Errors
    /// When the text is no plan, or a value is not accepted; the error names the key.
    pub fn parse(text: &str) -> Result<Self, RegisteredPlanError> {
        let plan: Self = toml::from_str(text)?;
        plan.validate()?;
        Ok(plan)
    }

    /// Returns the run of a name.
    #[must_use]
    pub fn run(&self, name: &str) -> Option<&PlannedRun> {
        self.runs.iter().find(|run| run.name == name)
    }

    fn validate(&self) -> Result<(), ModelError> {
        let version = REGISTERED_PLAN_VERSION.to_string();
        require(
            self.version == REGISTERED_PLAN_VERSION,
            "version",
            self.version,
            &version,
        )?;
        let PlanBudget {
            local_min,
            engines_min,
            challenge_min,
            applications_min,
        } = self.budget;
        for (key, minutes) in [
            ("budget.local_min", local_min),
            ("budget.engines_min", engines_min),
            ("budget.challenge_min", challenge_min),
            ("budget.applications_min", applications_min),
        ] {
            require(minutes.is_finite() && minutes > 0.0, key, minutes, "minutes above 0")?;
        }
        for (path, sha256) in &self.files {
            require_path("files", path)?;
            require_sha256(&format!("files.\"{}\"", path.display()), sha256)?;
        }
        require(!self.runs.is_empty(), "run", "none", "at least one [[run]]")?;
        let mut names = BTreeSet::new();
        for run in &self.runs {
            run.validate().map_err(|error| error.within(run.table()))?;
            if !names.insert(&run.name) {
                return Err(ModelError::Problem("two runs have this name".to_owned()).within(run.table()));
            }
        }
        let mut ids = BTreeSet::new();
        for claim in &self.claims {
            let table = format!("[[claim]] {}", claim.id);
            claim
                .validate(&self.runs)
                .map_err(|error| error.within(table.clone()))?;
            if !ids.insert(&claim.id) {
                return Err(ModelError::Problem("two claims have this id".to_owned()).within(table));
            }
        }
        Ok(())
    }
}

/// A text that is no registered plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisteredPlanError {
    /// The text is no TOML of the plan's shape.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// A value is not accepted.
    #[error(transparent)]
    Model(#[from] ModelError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::grid::{GridExtent, parse_definition};

    const PLAN: &str = r#"
version = 1
[files]
"analysis/claims.toml" = "0000000000000000000000000000000000000000000000000000000000000000"
[budget]
local_min = 60
engines_min = 40
challenge_min = 30
applications_min = 60
[[run]]
name = "overhead"
part = "local"
definition = "experiments/overhead.toml"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
conditions = ["local-pod", "local-bridge"]
launches = 20
rounds = 2000
warm_up_rounds = 200
segment_rounds = 100
levels = { dose = ["none", "half", "all"] }
[[run.cell]]
levels = { dose = "all" }
launches = 30
[[claim]]
id = "r01-spread"
combine = "every"
least_effect = 1.5
least_effect_from = "the ratio at which twice the launches are needed"
[[claim.row]]
run = "overhead"
condition = "local-bridge / local-pod"
cell = { dose = "all" }
"#;

    /// A grid whose cells have the lengths of [`PLAN`].
    fn cells() -> Vec<Experiment> {
        let base = include_str!("../../experiments/overhead.toml");
        let grid = "[[factor]]\nname = \"dose\"\n[[factor.level]]\nname = \"none\"\n[[factor.level]]\nname = \"half\"\n\
                    [[factor.level]]\nname = \"all\"";
        let mut cells = parse_definition(&format!("{base}\n{grid}"), GridExtent::Default).unwrap();
        for cell in &mut cells {
            cell.launches = if cell.cell[0].level == "all" { 30 } else { 20 };
            (cell.load.rounds, cell.load.warm_up_rounds, cell.load.segment_rounds) = (2_000, 200, 100);
        }
        cells
    }

    #[test]
    fn a_plan_that_repeats_its_definition_does_not_differ_from_it() {
        let plan = RegisteredPlan::parse(PLAN).unwrap();
        let run = plan.run("overhead").unwrap();
        assert_eq!(run.cell_count(), 3);
        assert_eq!(run.differences(&cells()), Vec::<String>::new());
        assert_eq!(run.launches_of(&cells()[2].cell), 30);
    }

    #[test]
    fn every_difference_from_the_definition_is_named_with_both_values() {
        let mut run = RegisteredPlan::parse(PLAN).unwrap().runs.remove(0);
        let mut cells = cells();
        cells[0].launches = 12;
        cells[1].load.segment_rounds = 90;
        let found = run.differences(&cells);
        let expected = [
            "none: launches: the plan has 20, the definition 12",
            "half: segment_rounds: the plan has 100, the definition 90",
        ];
        assert_eq!(found, expected);
        // Containers cost more time: the plan may have fewer launches there, and not more.
        run.part = PlanPart::Engines;
        assert_eq!(run.differences(&cells), expected);
        run.launches = 12;
        assert_eq!(run.differences(&cells), &expected[1..]);
        cells.pop();
        assert!(
            run.differences(&cells)[0].starts_with("levels: the plan has"),
            "{found:?}"
        );
    }

    #[test]
    fn a_value_that_is_not_accepted_is_named_with_its_table() {
        let zeros = "0".repeat(64);
        for (from, to, expected) in [
            ("version = 1", "version = 2", "`version`: 2; expected 1"),
            (
                "local_min = 60",
                "local_min = 0",
                "`budget.local_min`: 0; expected minutes above 0",
            ),
            ("local_min = 60", "local_hours = 1", "unknown field `local_hours`"),
            ("sha256 = \"0", "sha256 = \"X", "[[run]] overhead: `sha256`"),
            (
                &format!("claims.toml\" = \"{zeros}"),
                "claims.toml\" = \"0",
                "`files.\"analysis/claims.toml\"`: 0;",
            ),
            (
                "\"experiments/overhead.toml\"",
                "\"../x.toml\"",
                "`definition`: ../x.toml; expected a path inside",
            ),
            (
                "\"local-pod\", ",
                "\"docker\", ",
                "`conditions`: docker; expected conditions of the part local",
            ),
            (
                "\"local-pod\", ",
                "\"local-bridge\", ",
                "`conditions`: local-bridge; expected each condition once",
            ),
            ("\"half\", \"all\"", "\"half\", \"none\"", "expected each level once"),
            (
                "levels = { dose = \"all\" }",
                "levels = { dose = \"a\" }",
                "there is no level `a`; expected one of none",
            ),
            (
                "cell = { dose = \"all\" }",
                "cell = { size = \"all\" }",
                "there is no factor `size`",
            ),
            (
                "least_effect = 1.5",
                "least_effect = inf",
                "[[claim]] r01-spread: `least_effect`: inf",
            ),
            (
                "run = \"overhead\"",
                "run = \"r02\"",
                "[[claim]] r01-spread: there is no run `r02`",
            ),
            (
                "-bridge / local-pod\"",
                "-bridge / docker\"",
                "there is no condition `docker`; expected one of local-pod",
            ),
            ("combine = \"every\"", "combine = \"most\"", "unknown variant `most`"),
        ] {
            let text = PLAN.replacen(from, to, 1);
            assert_ne!(text, PLAN, "{from}");
            let error = RegisteredPlan::parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }

    #[test]
    fn the_plan_of_the_project_is_valid() {
        let plan = RegisteredPlan::parse(include_str!("../../experiments/plan.toml")).unwrap();
        for part in PlanPart::ALL {
            assert!(
                plan.runs.iter().any(|run| run.part == part),
                "no run of the part {part}"
            );
        }
        assert!(plan.claims.len() >= 10, "{} claims", plan.claims.len());
    }

    #[test]
    fn names_are_unique() {
        let (head, runs) = PLAN.split_once("[[run]]").unwrap();
        let (run, claim) = runs.split_once("[[claim]]").unwrap();
        let error = |text: &str| RegisteredPlan::parse(text).unwrap_err().to_string();
        let twice = error(&format!("{head}[[run]]{run}[[run]]{run}[[claim]]{claim}"));
        assert_eq!(twice, "[[run]] overhead: two runs have this name");
        let twice = error(&format!("{PLAN}[[claim]]{claim}"));
        assert_eq!(twice, "[[claim]] r01-spread: two claims have this id");
    }
}
