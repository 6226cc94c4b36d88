//! Grids: a definition with factors stands for one experiment per combination of their levels.
//!
//! A level is a name and whatever of the definition it says otherwise. What it says replaces what stands there, key by key
//! within tables; lists are replaced whole, and so is a table that can have different keys (`sut`, which says which
//! `program`, and `request`, by its protocol). A level with `full = true` is one of the full grid alone, for those who have
//! hours.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::definition::Experiment;

/// Which cells of a grid are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Default,
    /// With the levels that say `full = true`.
    Full,
}

/// One level of one factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setting {
    pub(crate) factor: String,
    pub(crate) level: String,
}

/// A factor as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Factor {
    name: String,
    #[serde(rename = "level")]
    levels: Vec<Table>,
}

impl Factor {
    /// With the levels that are asked for, which no longer say to which grid they belong.
    fn within(mut self, extent: Extent) -> Result<Self> {
        let mut levels = Vec::new();
        for mut level in self.levels {
            let full = match level.remove("full") {
                None => false,
                Some(Value::Boolean(full)) => full,
                Some(other) => bail!("[[factor]] {}: full = {other}; expected true or false", self.name),
            };
            if extent == Extent::Full || !full {
                levels.push(level);
            }
        }
        ensure!(
            !levels.is_empty(),
            "[[factor]] {}: it has no [[factor.level]], or all of them say full = true; give it one for the default grid",
            self.name
        );
        self.levels = levels;
        Ok(self)
    }
}

/// The folder of a cell, within that of its grid.
pub(crate) fn folder_name(cell: &[Setting]) -> String {
    let word = |text: &str| -> String {
        let plain = text.to_lowercase().replace('µ', "u");
        let words = plain.split(|letter: char| !letter.is_ascii_alphanumeric());
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
    };
    let names: Vec<String> = cell.iter().map(|setting| word(&setting.level)).collect();
    names.join("_")
}

/// The cells in the form that a dataset keeps.
pub(crate) fn index(cells: &[Vec<Setting>]) -> dataset::GridIndex {
    let cells = cells.iter().map(|cell| dataset::CellRecord {
        folder: folder_name(cell).into(),
        levels: cell.iter().map(|one| (one.factor.clone(), one.level.clone())).collect(),
    });
    dataset::GridIndex { cells: cells.collect() }
}

/// All experiments of a definition: one, or one for each cell of its grid.
pub(crate) fn read(path: &Path, text: &str, extent: Extent) -> Result<Vec<Experiment>> {
    let refused = || format!("{} is no experiment", path.display());
    // The TOML library's message has line, column and key.
    let mut base: Table = toml::from_str(text).with_context(refused)?;
    let Some(factors) = base.remove("factor") else {
        return Ok(vec![toml::from_str(text).with_context(refused)?]);
    };
    let factors: Vec<Factor> = factors.try_into().context("[[factor]]").with_context(refused)?;
    let mut cells = vec![(Vec::new(), base)];
    for factor in factors {
        let factor = factor.within(extent).with_context(refused)?;
        cells = crossed(&cells, &factor).with_context(refused)?;
    }
    let experiments = cells.into_iter().map(|(cell, table)| {
        let name = folder_name(&cell);
        let mut experiment: Experiment = Value::Table(table)
            .try_into()
            .with_context(|| format!("{}, cell {name}", refused()))?;
        experiment.cell = cell;
        Ok(experiment)
    });
    let experiments: Vec<Experiment> = experiments.collect::<Result<_>>()?;
    for (index, experiment) in experiments.iter().enumerate() {
        let name = folder_name(&experiment.cell);
        if experiments[..index]
            .iter()
            .any(|other| folder_name(&other.cell) == name)
        {
            bail!(
                "{}: two cells would have the folder {name}; give their levels other names",
                path.display()
            );
        }
    }
    Ok(experiments)
}

/// Each cell with each level of one more factor.
fn crossed(cells: &[(Vec<Setting>, Table)], factor: &Factor) -> Result<Vec<(Vec<Setting>, Table)>> {
    let mut all = Vec::new();
    for (cell, table) in cells {
        for level in &factor.levels {
            let mut says = level.clone();
            let Some(Value::String(name)) = says.remove("name") else {
                bail!(
                    "[[factor]] {}: a level without a name; expected name = \"…\"",
                    factor.name
                );
            };
            let mut cell = cell.clone();
            cell.push(Setting {
                factor: factor.name.clone(),
                level: name,
            });
            let mut table = table.clone();
            merge(&mut table, says);
            all.push((cell, table));
        }
    }
    Ok(all)
}

fn merge(into: &mut Table, says: Table) {
    for (key, value) in says {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(there)), Value::Table(says)) if !replaces(&key, &says) => merge(there, says),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Whether a table says which kind it is, so that keys of another kind must not remain.
fn replaces(key: &str, says: &Table) -> bool {
    const KINDS: [(&str, &[&str]); 2] = [
        ("sut", &["program"]),
        ("request", &["method", "redis", "send", "send_hex"]),
    ];
    KINDS
        .iter()
        .any(|(table, kinds)| *table == key && kinds.iter().any(|kind| says.contains_key(*kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = include_str!("../../experiments/overhead.toml");

    fn of(factors: &str) -> Result<Vec<Experiment>> {
        within(factors, Extent::Default)
    }

    fn folder_names(experiments: &[Experiment]) -> Vec<String> {
        experiments.iter().map(|one| folder_name(&one.cell)).collect()
    }

    fn within(factors: &str, extent: Extent) -> Result<Vec<Experiment>> {
        read(Path::new("x.toml"), &format!("{BASE}\n{factors}"), extent)
    }

    #[test]
    fn each_of_our_definitions_is_valid_in_every_condition() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let definitions =
            files.filter(|path| path.extension().is_some_and(|end| end == "toml") && !path.ends_with("Cargo.toml"));
        let mut cells = 0;
        for path in definitions {
            for mut experiment in read(&path, &std::fs::read_to_string(&path).unwrap(), Extent::Full).unwrap() {
                for condition in [
                    "local-pod",
                    "local-nodes",
                    "local-service",
                    "docker",
                    "kind",
                    "eks-nodes",
                    "kubernetes-node",
                ] {
                    experiment.conditions = vec![condition.parse().unwrap()];
                    experiment
                        .validate()
                        .unwrap_or_else(|error| panic!("{} in {condition}: {error:#}", path.display()));
                }
                cells += 1;
            }
        }
        assert!(cells > 60, "{cells}");
    }

    #[test]
    fn a_definition_without_factors_is_one_experiment() {
        let experiments = of("").unwrap();
        assert_eq!(experiments.len(), 1);
        assert!(experiments[0].cell.is_empty());
    }

    #[test]
    fn factors_are_crossed_and_levels_replace_what_they_say() {
        let experiments = of("
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
        ")
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
    fn the_full_grid_has_levels_that_the_default_one_has_not() {
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
        let names = |extent| folder_names(&within(factors, extent).unwrap());
        assert_eq!(names(Extent::Default), ["none", "all"]);
        assert_eq!(names(Extent::Full), ["none", "half", "all"]);
        // A cell is the same experiment in both, so that a run of the one is no other than that of the other.
        let last = |extent| within(factors, extent).unwrap().pop().unwrap();
        assert_eq!(last(Extent::Default), last(Extent::Full));
    }

    #[test]
    fn what_is_no_grid_is_refused_with_its_reason() {
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
                "all of them say full",
            ),
        ] {
            let error = format!("{:#}", of(factors).unwrap_err());
            assert!(error.contains(word), "{error}");
        }
    }
}
