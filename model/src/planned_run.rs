//! A run of the registered plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::error::ModelError;
use crate::experiment::Experiment;
use crate::factor::FactorLevel;
use crate::invalid_value::require;

/// The part of the plan to which a run belongs. Each part has a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PlanPart {
    /// Linux namespaces on the machine itself.
    Local,
    /// Containers and Kubernetes clusters.
    Engines,
}

impl PlanPart {
    /// All parts.
    pub const ALL: [Self; 2] = [Self::Local, Self::Engines];

    /// Returns the part to which a condition belongs.
    #[must_use]
    pub const fn of(condition: Condition) -> Self {
        match condition {
            Condition::Local(_) => Self::Local,
            _ => Self::Engines,
        }
    }
}

/// A run that the plan records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRun {
    /// Name of the run, which is its folder's.
    pub name: String,
    /// The part of the plan, whose conditions are the run's.
    pub part: PlanPart,
    /// The definition of the experiment, from the project's folder.
    pub definition: PathBuf,
    /// SHA-256 of the definition, in hexadecimal.
    pub sha256: String,
    /// The conditions in which launches run, instead of the definition's.
    pub conditions: Vec<Condition>,
    /// Whether the run has all cells of its grid, also the cells of levels with `full = true`.
    #[serde(default)]
    pub full_grid: bool,
    /// Whether the receive functions of servers are observed after the last launch.
    #[serde(default)]
    pub observe: bool,
    /// Launches of each cell in each condition. In containers the plan may have fewer than the definition.
    pub launches: u32,
    /// Rounds of each launch, warm-up included.
    pub rounds: u64,
    /// Rounds of warm-up.
    pub warm_up_rounds: u64,
    /// Rounds of a segment.
    pub segment_rounds: u64,
    /// The doses: the levels of each factor, by the factor's name; empty for a run without factors.
    #[serde(default)]
    pub levels: BTreeMap<String, Vec<String>>,
    /// Cells whose lengths are not the run's.
    #[serde(rename = "cell", default)]
    pub cells: Vec<PlannedCell>,
}

/// The lengths of the cells that have certain levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCell {
    /// The level of one factor or of several, by the factor's name.
    pub levels: BTreeMap<String, String>,
    /// Launches, where they differ from the run's.
    #[serde(default)]
    pub launches: Option<u32>,
    /// Rounds, where they differ from the run's.
    #[serde(default)]
    pub rounds: Option<u64>,
    /// Rounds of warm-up, where they differ from the run's.
    #[serde(default)]
    pub warm_up_rounds: Option<u64>,
    /// Rounds of a segment, where they differ from the run's.
    #[serde(default)]
    pub segment_rounds: Option<u64>,
}

impl PlannedRun {
    /// Returns the table of the plan that states the run.
    pub(crate) fn table(&self) -> String {
        format!("[[run]] {}", self.name)
    }

    /// Checks the run's own values.
    ///
    /// # Errors
    /// Names the first key whose value is not accepted.
    pub(crate) fn validate(&self) -> Result<(), ModelError> {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        require(
            !self.name.is_empty() && self.name.chars().all(plain),
            "name",
            &self.name,
            "lower-case letters, digits and hyphens, because it names a folder",
        )?;
        require_path("definition", &self.definition)?;
        require_sha256("sha256", &self.sha256)?;
        require(
            !self.conditions.is_empty(),
            "conditions",
            "none",
            "at least one condition",
        )?;
        let mut seen = BTreeSet::new();
        for condition in &self.conditions {
            require(seen.insert(condition), "conditions", condition, "each condition once")?;
            let expected = format!("conditions of the part {}", self.part);
            require(
                PlanPart::of(*condition) == self.part,
                "conditions",
                condition,
                &expected,
            )?;
        }
        for (factor, levels) in &self.levels {
            let key = format!("levels.\"{factor}\"");
            require(!levels.is_empty(), &key, "none", "at least one level")?;
            let different: BTreeSet<&String> = levels.iter().collect();
            require(
                different.len() == levels.len(),
                &key,
                levels.join(", "),
                "each level once",
            )?;
        }
        for cell in &self.cells {
            self.require_levels(&cell.levels)?;
        }
        Ok(())
    }

    /// Checks that each level is one of the run's.
    ///
    /// # Errors
    /// Names the first factor or level that the run does not have.
    pub(crate) fn require_levels(&self, levels: &BTreeMap<String, String>) -> Result<(), ModelError> {
        for (factor, level) in levels {
            let Some(known) = self.levels.get(factor) else {
                let factors = self.levels.keys().map(String::as_str);
                return Err(ModelError::unknown_name("factor", factor, factors));
            };
            if !known.contains(level) {
                let levels = known.iter().map(String::as_str);
                return Err(ModelError::unknown_name("level", level, levels));
            }
        }
        Ok(())
    }

    /// Returns the number of cells of the run's grid; 1 for a run without factors.
    #[must_use]
    pub fn cell_count(&self) -> usize {
        self.levels.values().map(Vec::len).product()
    }

    /// Returns the differences between the plan and the experiments of the run's definition, with both values; none if the
    /// plan repeats the definition. `cells` are all cells of the definition, of the extent that the plan states.
    #[must_use]
    pub fn differences(&self, cells: &[Experiment]) -> Vec<String> {
        let mut found = Vec::new();
        let levels = levels_of(cells);
        if levels != self.levels {
            found.push(format!(
                "levels: the plan has {:?}, the definition {levels:?}",
                self.levels
            ));
        }
        for cell in cells {
            let at = FactorLevel::folder_name(&cell.cell);
            let within = if at.is_empty() { at } else { format!("{at}: ") };
            let planned = self.lengths(&cell.cell);
            let defined = PlannedLengths::of(cell);
            let fewer = self.part == PlanPart::Engines && planned.launches <= defined.launches;
            if planned.launches != defined.launches && !fewer {
                found.push(difference(&within, "launches", planned.launches, defined.launches));
            }
            for (key, planned, defined) in [
                ("rounds", planned.rounds, defined.rounds),
                ("warm_up_rounds", planned.warm_up_rounds, defined.warm_up_rounds),
                ("segment_rounds", planned.segment_rounds, defined.segment_rounds),
            ] {
                if planned != defined {
                    found.push(difference(&within, key, planned, defined));
                }
            }
        }
        found
    }

    /// Returns the launches that the plan states for a cell.
    #[must_use]
    pub fn launches_of(&self, cell: &[FactorLevel]) -> u32 {
        self.lengths(cell).launches
    }

    /// Returns the lengths of a cell: the run's, replaced by those of each `[[run.cell]]` whose levels the cell has.
    fn lengths(&self, cell: &[FactorLevel]) -> PlannedLengths {
        let mut lengths = PlannedLengths {
            launches: self.launches,
            rounds: self.rounds,
            warm_up_rounds: self.warm_up_rounds,
            segment_rounds: self.segment_rounds,
        };
        for exception in self
            .cells
            .iter()
            .filter(|exception| has_levels(cell, &exception.levels))
        {
            lengths.launches = exception.launches.unwrap_or(lengths.launches);
            lengths.rounds = exception.rounds.unwrap_or(lengths.rounds);
            lengths.warm_up_rounds = exception.warm_up_rounds.unwrap_or(lengths.warm_up_rounds);
            lengths.segment_rounds = exception.segment_rounds.unwrap_or(lengths.segment_rounds);
        }
        lengths
    }
}

/// The lengths of one cell.
struct PlannedLengths {
    launches: u32,
    rounds: u64,
    warm_up_rounds: u64,
    segment_rounds: u64,
}

impl PlannedLengths {
    const fn of(experiment: &Experiment) -> Self {
        Self {
            launches: experiment.launches,
            rounds: experiment.load.rounds,
            warm_up_rounds: experiment.load.warm_up_rounds,
            segment_rounds: experiment.load.segment_rounds,
        }
    }
}

fn difference(within: &str, key: &str, planned: impl ToString, defined: impl ToString) -> String {
    let (planned, defined) = (planned.to_string(), defined.to_string());
    format!("{within}{key}: the plan has {planned}, the definition {defined}")
}

/// Returns whether a cell has all of these levels.
fn has_levels(cell: &[FactorLevel], levels: &BTreeMap<String, String>) -> bool {
    let has = |(factor, level): (&String, &String)| cell.iter().any(|one| one.factor == *factor && one.level == *level);
    levels.iter().all(has)
}

/// Returns the levels of each factor of a grid, in the order of the definition.
fn levels_of(cells: &[Experiment]) -> BTreeMap<String, Vec<String>> {
    let mut levels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in cells.iter().flat_map(|cell| &cell.cell) {
        let known = levels.entry(one.factor.clone()).or_default();
        if !known.contains(&one.level) {
            known.push(one.level.clone());
        }
    }
    levels
}

/// Checks that a text is a SHA-256.
///
/// # Errors
/// Names the key.
pub(crate) fn require_sha256(key: &str, text: &str) -> Result<(), ModelError> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let valid = text.len() == 64 && text.bytes().all(digit);
    Ok(require(
        valid,
        key,
        text,
        "a SHA-256 as 64 lower-case hexadecimal digits",
    )?)
}

/// Checks that a path leads from the project's folder to a place inside of it.
///
/// # Errors
/// Names the key.
pub(crate) fn require_path(key: &str, path: &Path) -> Result<(), ModelError> {
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    let valid = inside && path.components().next().is_some();
    Ok(require(
        valid,
        key,
        path.display(),
        "a path inside of the project's folder, without ..",
    )?)
}
