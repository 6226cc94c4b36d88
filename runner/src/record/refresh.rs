//! `--refresh`: copies hashes, lengths and levels of the definitions into the plan. Comments are kept.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use model::{Experiment, FactorLevel, PlanPart, PlannedRun};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::experiment_file;
use crate::record::plan_file::{PlanFile, extent};

/// Rewrites the plan and prints each change.
///
/// # Errors
/// If a definition cannot be read, or the plan cannot be written.
pub(super) fn refresh(old: &PlanFile) -> Result<()> {
    let mut document: DocumentMut = old.text.parse().context("the plan is no TOML")?;
    let mut changes = Vec::new();
    let files = document["files"].as_table_mut().context("[files] is no table")?;
    let named: Vec<PathBuf> = old.named_files()?.into_iter().collect();
    let unnamed = old.plan.files.keys().filter(|path| !named.contains(path));
    for path in unnamed {
        files.remove(&path.display().to_string());
        changes.push(format!("{}: no longer named", path.display()));
    }
    for path in &named {
        set(
            files,
            &path.display().to_string(),
            dataset::sha256(path)?.into(),
            "",
            &mut changes,
        );
    }
    let runs = document["run"]
        .as_array_of_tables_mut()
        .context("[[run]] is no list of tables")?;
    for (table, run) in runs.iter_mut().zip(&old.plan.runs) {
        refresh_run(table, run, &mut changes)?;
    }
    if changes.is_empty() {
        println!("{} fits the definitions already", old.path.display());
        return Ok(());
    }
    dataset::write_file(&old.path, document.to_string().as_bytes())?;
    let new = PlanFile::read(&old.path)?;
    new.recordings(&[])?;
    for change in changes {
        println!("{change}");
    }
    println!(
        "{}: SHA-256 {} becomes {}. Recordings by the old plan are now exploratory. Commit the plan before the first recording.",
        old.path.display(),
        old.sha256(),
        new.sha256()
    );
    Ok(())
}

fn refresh_run(table: &mut Table, run: &PlannedRun, changes: &mut Vec<String>) -> Result<()> {
    let within = format!("{}: ", run.name);
    let sha256 = dataset::sha256(&run.definition)?;
    set(table, "sha256", sha256.into(), &within, changes);
    let cells = experiment_file::read(&run.definition, extent(run))?;
    if run.differences(&cells).is_empty() {
        return Ok(());
    }
    let whole = without_factors(&run.definition)?;
    let launches = match run.part {
        PlanPart::Local => whole.launches,
        PlanPart::Engines => run.launches.min(whole.launches),
    };
    for (key, length) in [
        ("launches", u64::from(launches)),
        ("rounds", whole.load.rounds),
        ("warm_up_rounds", whole.load.warm_up_rounds),
        ("segment_rounds", whole.load.segment_rounds),
    ] {
        set(table, key, integer(length)?.into(), &within, changes);
    }
    let levels = levels_of(&cells);
    let mut doses = Table::new();
    for (factor, names) in &levels {
        doses.insert(factor, value(names.iter().copied().collect::<Array>()));
    }
    replace(
        table,
        "levels",
        (!doses.is_empty()).then_some(Item::Table(doses)),
        &within,
        changes,
    );
    let mut exceptions = ArrayOfTables::new();
    for (factor, names) in &levels {
        for level in names {
            let of_level: Vec<&Experiment> = cells.iter().filter(|cell| has(cell, factor, level)).collect();
            if let Some(exception) = exception((factor, level), &of_level, &whole, run.part)? {
                exceptions.push(exception);
            }
        }
    }
    let exceptions = (!exceptions.is_empty()).then_some(Item::ArrayOfTables(exceptions));
    replace(table, "cell", exceptions, &within, changes);
    Ok(())
}

/// Returns the `[[run.cell]]` of a level whose cells all have one length that is not the run's; `None` for any other level.
fn exception(
    (factor, level): (&str, &str),
    cells: &[&Experiment],
    whole: &Experiment,
    part: PlanPart,
) -> Result<Option<Table>> {
    let lengths = |cell: &Experiment| {
        let launches = if part == PlanPart::Local {
            u64::from(cell.launches)
        } else {
            0
        };
        [
            launches,
            cell.load.rounds,
            cell.load.warm_up_rounds,
            cell.load.segment_rounds,
        ]
    };
    let (Some(first), usual) = (cells.first().map(|cell| lengths(cell)), lengths(whole)) else {
        return Ok(None);
    };
    if first == usual || cells.iter().any(|cell| lengths(cell) != first) {
        return Ok(None);
    }
    let mut table = Table::new();
    let mut of_factor = InlineTable::new();
    of_factor.insert(factor, level.into());
    table.insert("levels", value(of_factor));
    let keys = ["launches", "rounds", "warm_up_rounds", "segment_rounds"];
    for (key, (length, usual)) in keys.into_iter().zip(first.into_iter().zip(usual)) {
        if length != usual {
            table.insert(key, value(integer(length)?));
        }
    }
    Ok(Some(table))
}

fn has(cell: &Experiment, factor: &str, level: &str) -> bool {
    cell.cell.iter().any(|one| one.factor == factor && one.level == level)
}

/// Returns the levels of each factor, in the order of the definition.
fn levels_of(cells: &[Experiment]) -> Vec<(&str, Vec<&str>)> {
    let mut levels: Vec<(&str, Vec<&str>)> = Vec::new();
    for FactorLevel { factor, level } in cells.iter().flat_map(|cell| &cell.cell) {
        match levels.iter_mut().find(|(known, _)| known == factor) {
            Some((_, names)) if names.contains(&&**level) => {}
            Some((_, names)) => names.push(level),
            None => levels.push((factor, vec![level])),
        }
    }
    levels
}

/// Returns the experiment of a definition as it is without its factors.
fn without_factors(definition: &Path) -> Result<Experiment> {
    let read = || -> Result<Experiment> {
        let mut table: toml::Table = toml::from_str(&fs::read_to_string(definition)?)?;
        table.remove("factor");
        Ok(table.try_into()?)
    };
    read().with_context(|| definition.display().to_string())
}

fn integer(length: u64) -> Result<i64> {
    i64::try_from(length).with_context(|| format!("TOML has no number as large as {length}"))
}

/// Sets a value, unless the table has it already. The comment behind it stays.
fn set(table: &mut Table, key: &str, mut new: Value, within: &str, changes: &mut Vec<String>) {
    let shown = new.to_string();
    let old = table.get(key).and_then(Item::as_value).cloned();
    let bare = old.clone().map(|old| old.decorated("", "").to_string());
    if bare.as_ref() == Some(&shown) {
        return;
    }
    if let Some(old) = old {
        new.decor_mut().clone_from(old.decor());
    }
    changes.push(format!("{within}{key}: {} becomes {shown}", or_nothing(bare)));
    table.insert(key, value(new));
}

fn or_nothing(text: Option<String>) -> String {
    text.unwrap_or_else(|| "nothing".to_owned())
}

/// Replaces a table or removes it.
fn replace(table: &mut Table, key: &str, new: Option<Item>, within: &str, changes: &mut Vec<String>) {
    let text = |item: &Item| item.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let (old, shown) = (table.get(key).map(text), new.as_ref().map(text));
    if old == shown {
        return;
    }
    changes.push(format!(
        "{within}{key}: {} becomes {}",
        or_nothing(old),
        or_nothing(shown)
    ));
    match new {
        Some(item) => table.insert(key, item),
        None => table.remove(key),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_follows_its_definitions_and_keeps_its_comments() {
        let folder = tempfile::tempdir().unwrap();
        let definition = folder.path().join("small.toml");
        let text = include_str!("../../tests/common/small.toml");
        let factor = "[[factor]]\nname = \"dose\"\n[[factor.level]]\nname = \"none\"\n[[factor.level]]\nname = \"all\"\n\
                      launches = 7\nload = { rounds = 90 }\n";
        fs::write(&definition, format!("{text}\n{factor}")).unwrap();
        let mut document: DocumentMut = "# The plan.\n[[run]]\nname = \"small\"\nlaunches = 3 # few\n\n[[run.cell]]\n\
                                         levels = { dose = \"none\" }\nrounds = 1\n\n[[run]]\nname = \"next\"\n"
            .parse()
            .unwrap();
        let run = PlannedRun {
            name: "small".to_owned(),
            part: PlanPart::Local,
            definition,
            sha256: String::new(),
            conditions: vec!["local-pod".parse().unwrap()],
            full_grid: false,
            observe: false,
            launches: 3,
            rounds: 1,
            warm_up_rounds: 0,
            segment_rounds: 1,
            levels: std::collections::BTreeMap::default(),
            cells: Vec::new(),
        };
        let mut changes = Vec::new();
        let table = document["run"].as_array_of_tables_mut().unwrap().get_mut(0).unwrap();
        refresh_run(table, &run, &mut changes).unwrap();
        let written = document.to_string();
        for expected in [
            "# The plan.\n[[run]]\nname = \"small\"\nlaunches = 2 # few",
            "[run.levels]\ndose = [\"none\", \"all\"]",
            "[[run.cell]]\nlevels = { dose = \"all\" }\nlaunches = 7\nrounds = 90\n",
            "[[run]]\nname = \"next\"",
        ] {
            assert!(written.contains(expected), "{expected}: {written}");
        }
        assert!(
            changes.contains(&"small: launches: 3 becomes 2".to_owned()),
            "{changes:?}"
        );
        changes.clear();
        let table = document["run"].as_array_of_tables_mut().unwrap().get_mut(0).unwrap();
        refresh_run(table, &run, &mut changes).unwrap();
        assert_eq!(changes, [""; 0]);
    }
}
