//! Grids: definitions with factors. Such a definition stands for one experiment per combination of factor levels.
//!
//! A level consists of a name and of changes to the definition. Tables merge key by key. A list replaces the whole
//! list. A table that names its kind replaces the whole table: `sut` with its key `program`, and `request`, whose keys
//! depend on the protocol. A level with `full = true` belongs to the full grid only.

use serde::Deserialize;
use toml::{Table, Value};

use crate::error::ModelError;
use crate::experiment::Experiment;
use crate::factor::FactorLevel;

/// The cells of a grid to expand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridExtent {
    /// The cells without a level that says `full = true`.
    Default,
    /// All cells.
    Full,
}

/// The reason why a text is not a definition.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The text is not TOML, or a key is missing, unknown or of the wrong type. The message has line, column and key.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// The factors of a grid contradict each other.
    #[error("{0}")]
    Model(#[from] ModelError),
    /// A cell of a grid is not an experiment.
    #[error("cell {cell}: {error}")]
    Cell {
        /// The cell's folder.
        cell: String,
        /// The error of the TOML library.
        error: toml::de::Error,
    },
}

/// A factor as a definition states it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Factor {
    name: String,
    #[serde(rename = "level")]
    levels: Vec<Table>,
}

impl Factor {
    fn error(&self, problem: &str) -> DefinitionError {
        let table = format!("[[factor]] {}", self.name);
        ModelError::Problem(problem.to_owned()).within(table).into()
    }

    /// Returns the levels of the extent, without their key `full`.
    fn levels(&self, extent: GridExtent) -> Result<Vec<Table>, DefinitionError> {
        let mut levels = Vec::new();
        for mut level in self.levels.iter().cloned() {
            let full = match level.remove("full") {
                None => false,
                Some(Value::Boolean(full)) => full,
                Some(other) => return Err(self.error(&format!("full = {other}; expected true or false"))),
            };
            if extent == GridExtent::Full || !full {
                levels.push(level);
            }
        }
        if levels.is_empty() {
            return Err(self.error("no [[factor.level]] without full = true; add a level for the default grid"));
        }
        Ok(levels)
    }
}

/// A cell before all factors are crossed: its coordinates and its definition.
type PartialCell = (Vec<FactorLevel>, Table);

/// Returns the experiments of a definition: one, or one for each cell of its grid.
///
/// # Errors
/// When the text is not a definition, with line, column and key where the TOML library knows them.
pub fn parse_definition(text: &str, extent: GridExtent) -> Result<Vec<Experiment>, DefinitionError> {
    let mut base: Table = toml::from_str(text)?;
    let Some(factors) = base.remove("factor") else {
        return Ok(vec![toml::from_str(text)?]);
    };
    let factors: Vec<Factor> = factors
        .try_into()
        .map_err(|error: toml::de::Error| ModelError::Problem(error.to_string()).within("[[factor]]"))?;
    let mut cells: Vec<PartialCell> = vec![(Vec::new(), base)];
    for factor in &factors {
        cells = cross(&cells, factor, extent)?;
    }
    let mut experiments: Vec<Experiment> = Vec::new();
    let mut folders: Vec<String> = Vec::new();
    for (cell, table) in cells {
        let folder = FactorLevel::folder_name(&cell);
        if folders.contains(&folder) {
            let problem = format!("two cells have the folder {folder}; give their levels other names");
            return Err(ModelError::Problem(problem).into());
        }
        let mut experiment: Experiment = Value::Table(table).try_into().map_err(|error| DefinitionError::Cell {
            cell: folder.clone(),
            error,
        })?;
        experiment.cell = cell;
        experiments.push(experiment);
        folders.push(folder);
    }
    Ok(experiments)
}

/// Returns each cell combined with each level of one more factor.
fn cross(cells: &[PartialCell], factor: &Factor, extent: GridExtent) -> Result<Vec<PartialCell>, DefinitionError> {
    let levels = factor.levels(extent)?;
    let mut all = Vec::new();
    for (cell, table) in cells {
        for level in &levels {
            let mut changes = level.clone();
            let Some(Value::String(name)) = changes.remove("name") else {
                return Err(factor.error("a level without a name; expected name = \"…\""));
            };
            let mut cell = cell.clone();
            cell.push(FactorLevel {
                factor: factor.name.clone(),
                level: name,
            });
            let mut table = table.clone();
            merge(&mut table, changes);
            all.push((cell, table));
        }
    }
    Ok(all)
}

fn merge(into: &mut Table, changes: Table) {
    for (key, value) in changes {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if !names_a_kind(&key, &new) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Returns true if a table contains a key that decides its kind. Such a table replaces another table as a whole.
fn names_a_kind(key: &str, table: &Table) -> bool {
    const KINDS: [(&str, &[&str]); 2] = [
        ("sut", &["program"]),
        ("request", &["method", "redis", "send", "send_hex"]),
    ];
    KINDS
        .iter()
        .any(|(name, kinds)| *name == key && kinds.iter().any(|kind| table.contains_key(*kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = include_str!("../../experiments/overhead.toml");

    fn parse(factors: &str, extent: GridExtent) -> Result<Vec<Experiment>, DefinitionError> {
        parse_definition(&format!("{BASE}\n{factors}"), extent)
    }

    fn folder_names(experiments: &[Experiment]) -> Vec<String> {
        experiments
            .iter()
            .map(|experiment| FactorLevel::folder_name(&experiment.cell))
            .collect()
    }

    #[test]
    fn a_definition_without_factors_is_one_experiment() {
        let experiments = parse("", GridExtent::Default).unwrap();
        assert_eq!(experiments.len(), 1);
        assert!(experiments[0].cell.is_empty());
    }

    #[test]
    fn factors_are_crossed_and_levels_replace_the_keys_that_they_name() {
        let experiments = parse(
            "
            [[factor]]
            name = \"size\"
            [[factor.level]]
            name = \"small\"
            [[factor.level]]
            name = \"large\"
            request = { body = \"xx\" }
            [[factor]]
            name = \"server\"
            [[factor.level]]
            name = \"ours\"
            [[factor.level]]
            name = \"Java\"
            sut = { program = \"command\", command = [\"x\", \"{port}\"] }
            launches = 3
        ",
            GridExtent::Default,
        )
        .unwrap();
        let names = folder_names(&experiments);
        assert_eq!(names, ["small_ours", "small_java", "large_ours", "large_java"]);
        assert_eq!(experiments[0].launches, 12);
        assert_eq!(experiments[1].launches, 3);
        assert_eq!(experiments[1].sut.name(), "command");
        assert_eq!(experiments[0].request, experiments[1].request);
        assert_ne!(experiments[0].request, experiments[2].request);
        assert_eq!(experiments[3].cell[0].factor, "size");
        assert_eq!(experiments[3].cell[1].level, "Java");
    }

    #[test]
    fn the_full_grid_has_levels_that_the_default_grid_lacks() {
        let factors = "
            [[factor]]
            name = \"dose\"
            [[factor.level]]
            name = \"none\"
            [[factor.level]]
            name = \"half\"
            full = true
            launches = 3
            [[factor.level]]
            name = \"all\"
            full = false
        ";
        let names = |extent| folder_names(&parse(factors, extent).unwrap());
        assert_eq!(names(GridExtent::Default), ["none", "all"]);
        assert_eq!(names(GridExtent::Full), ["none", "half", "all"]);
        // A cell is the same experiment in both grids, so that a run of one grid counts for the other.
        let last = |extent| parse(factors, extent).unwrap().pop().unwrap();
        assert_eq!(last(GridExtent::Default), last(GridExtent::Full));
    }

    #[test]
    fn a_text_that_is_no_grid_is_refused_with_the_reason() {
        for (factors, word) in [
            ("[[factor]]\nname = \"a\"\nlevel = []", "no [[factor.level]]"),
            (
                "[[factor]]\nname = \"a\"\n[[factor.level]]\nlaunches = 1",
                "without a name",
            ),
            (
                "[[factor]]\nname = \"a\"\n[[factor.level]]\nname = \"b\"\nlunches = 1",
                "lunches",
            ),
            (
                "[[factor]]\nname = \"a\"\n[[factor.level]]\nname = \"b c\"\n[[factor.level]]\nname = \"b-c\"",
                "the folder b-c",
            ),
            ("[[factor]]\nlevel = []", "name"),
            (
                "[[factor]]\nname = \"a\"\n[[factor.level]]\nname = \"b\"\nfull = 1",
                "expected true or false",
            ),
            (
                "[[factor]]\nname = \"a\"\n[[factor.level]]\nname = \"b\"\nfull = true",
                "without full = true",
            ),
        ] {
            let error = parse(factors, GridExtent::Default).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
