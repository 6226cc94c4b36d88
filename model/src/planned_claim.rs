//! The claims of the registered plan and their primary rows.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::error::ModelError;
use crate::invalid_value::require;
use crate::planned_run::PlannedRun;

/// A claim of `analysis/claims.toml` and the rows that decide it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedClaim {
    /// The claim's id.
    pub id: String,
    /// How the primary rows are combined.
    pub combine: RowCombination,
    /// The least effect of interest, in the claim's unit.
    pub least_effect: f64,
    /// The source of the least effect of interest, in words.
    pub least_effect_from: String,
    /// The primary rows.
    #[serde(rename = "row")]
    pub rows: Vec<PrimaryRow>,
}

/// How the primary rows of a claim are combined to one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum RowCombination {
    /// The claim holds if every row supports it.
    Every,
    /// The claim holds if at least one row supports it.
    Any,
}

/// A quantity of one cell that decides a claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrimaryRow {
    /// Name of the run.
    pub run: String,
    /// The condition, or the two conditions that are compared.
    pub condition: RowCondition,
    /// The level of each factor, by the factor's name; empty for a run without factors, and for a quantity of all cells.
    #[serde(default)]
    pub cell: BTreeMap<String, String>,
    /// Parameters of the quantity by their names, such as the contrast; empty for a quantity without parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// The condition of a primary row, as `local-pod`, `local-bridge / local-pod` or `all cells`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RowCondition {
    /// One condition.
    In(Condition),
    /// The first condition is compared with the second.
    Compared(Condition, Condition),
    /// A quantity of all cells of a grid.
    AllCells,
}

/// The name of [`RowCondition::AllCells`].
const ALL_CELLS: &str = "all cells";

impl RowCondition {
    /// Returns the conditions; none for a quantity of all cells.
    pub fn conditions(self) -> impl Iterator<Item = Condition> {
        let (one, other) = match self {
            Self::In(condition) => (Some(condition), None),
            Self::Compared(condition, reference) => (Some(condition), Some(reference)),
            Self::AllCells => (None, None),
        };
        one.into_iter().chain(other)
    }
}

impl fmt::Display for RowCondition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(condition) => condition.fmt(formatter),
            Self::Compared(condition, reference) => write!(formatter, "{condition} / {reference}"),
            Self::AllCells => formatter.write_str(ALL_CELLS),
        }
    }
}

impl FromStr for RowCondition {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        Ok(match text.split_once(" / ") {
            Some((condition, reference)) => Self::Compared(condition.parse()?, reference.parse()?),
            None if text == ALL_CELLS => Self::AllCells,
            None => Self::In(text.parse()?),
        })
    }
}

impl From<RowCondition> for String {
    fn from(condition: RowCondition) -> Self {
        condition.to_string()
    }
}

impl TryFrom<String> for RowCondition {
    type Error = ModelError;

    fn try_from(text: String) -> Result<Self, ModelError> {
        text.parse()
    }
}

impl PlannedClaim {
    /// Checks that the plan's runs have the claim's rows.
    ///
    /// # Errors
    /// Names the first key whose value is not accepted.
    pub(crate) fn validate(&self, runs: &[PlannedRun]) -> Result<(), ModelError> {
        require(!self.id.is_empty(), "id", "nothing", "the id of a claim")?;
        require(
            self.least_effect.is_finite(),
            "least_effect",
            self.least_effect,
            "a finite number",
        )?;
        let from = self.least_effect_from.trim();
        require(
            !from.is_empty(),
            "least_effect_from",
            "nothing",
            "the source of the least effect",
        )?;
        require(!self.rows.is_empty(), "row", "none", "at least one [[claim.row]]")?;
        for (number, row) in self.rows.iter().enumerate() {
            let Some(run) = runs.iter().find(|run| run.name == row.run) else {
                let names = runs.iter().map(|run| run.name.as_str());
                return Err(ModelError::unknown_name("run", &row.run, names));
            };
            for condition in row.condition.conditions() {
                if !run.conditions.contains(&condition) {
                    let names = run.conditions.iter().map(|known| known.name());
                    return Err(ModelError::unknown_name("condition", condition.name(), names));
                }
            }
            run.require_levels(&row.cell)?;
            if self.rows[..number].contains(row) {
                return Err(ModelError::Problem(format!(
                    "row {} repeats an earlier row",
                    number + 1
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_of_a_row_is_read_from_the_text_that_it_writes() {
        for text in ["local-pod", "local-bridge / local-pod", "all cells"] {
            let condition: RowCondition = text.parse().unwrap();
            assert_eq!(condition.to_string(), text);
            assert_eq!(
                condition.conditions().count(),
                text.split(" / ").count() - usize::from(text == ALL_CELLS)
            );
        }
        for text in ["", "local-pod / ", "all", "local-pod/local-bridge"] {
            assert!(text.parse::<RowCondition>().is_err(), "{text}");
        }
    }
}
