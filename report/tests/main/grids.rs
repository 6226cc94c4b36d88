//! Grids of made-up runs, and their exhibits.

use std::collections::BTreeMap;
use std::path::Path;

use dataset::{GRID_FILE, write_json};
use model::{CellRecord, GridIndex};
use serde_json::{Value, json};

use crate::made_up_run::{ARM, ARMS, Arm, change_manifest, write};
use crate::program::{output, report};

/// Changes an arm of a cell.
pub(crate) type Change = fn(&mut Arm);

/// The levels of a cell and the change of its arms.
pub(crate) type RecordedCell<'a> = (&'a [(&'a str, &'a str)], Change);

/// Further arms, which only some of the experiments compare.
pub(crate) const MORE: [Arm; 3] = [
    Arm {
        name: "log",
        wire_ns: 18_000,
        ..ARM
    },
    Arm {
        name: "upstream",
        wire_ns: 19_000,
        ..ARM
    },
    Arm {
        name: "without stamps",
        ..ARM
    },
];

/// A grid of made-up runs, in which the hook costs 2 µs.
pub(crate) fn grid(folder: &Path, experiment: &str, cells: &[RecordedCell<'_>]) {
    let mut index = Vec::new();
    for (number, (levels, change)) in cells.iter().enumerate() {
        let name = format!("cell-{number}");
        let run = folder.join(&name);
        let mut arms = ARMS.to_vec();
        arms.extend(MORE);
        arms.iter_mut().for_each(change);
        write(&run, &arms, true);
        change_manifest(&run, |manifest| {
            manifest["experiment"] = experiment.into();
            manifest["run_id"] = format!("{experiment}/{name}").into();
            manifest["plan"]["question"] = "What does it cost?".into();
            if let Some(exhibit) = exhibit_of(experiment) {
                manifest["plan"]["exhibit"] = exhibit.into();
            }
            let all = json!({"name": "all of it", "baseline": "unmodified", "arm": "log", "role": "effect"});
            manifest["plan"]["contrasts"].as_array_mut().unwrap().push(all);
        });
        index.push(CellRecord {
            folder: name.into(),
            levels: levels
                .iter()
                .map(|(factor, level)| ((*factor).to_owned(), (*level).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        });
    }
    write_json(&folder.join(GRID_FILE), &GridIndex { cells: index }).unwrap();
}

/// The exhibit that the definition of an experiment names; none for an experiment without a definition.
fn exhibit_of(experiment: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../experiments/{experiment}.toml"));
    let definition: toml::Table = std::fs::read_to_string(path).ok()?.parse().unwrap();
    Some(definition["exhibit"].as_str().unwrap().to_owned())
}

/// Returns the table and the SVG of the exhibit of a run or grid.
pub(crate) fn exhibit(folder: &Path) -> (String, String) {
    let out = tempfile::tempdir().unwrap();
    let mut command = report();
    command
        .arg("exhibit")
        .arg("--run")
        .arg(folder)
        .arg("--out")
        .arg(out.path());
    let table = output(&mut command);
    let figures = std::fs::read_dir(out.path().join("figures")).unwrap();
    let mut drawings = figures
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().unwrap() == "svg");
    (table, std::fs::read_to_string(drawings.next().unwrap()).unwrap())
}

pub(crate) fn slower(arm: &mut Arm, by_ns: i64) {
    arm.wire_ns += by_ns;
}

pub(crate) const AS_IT_IS: Change = |_| {};

/// Inserts an effect before the last contrast, which by convention is the whole hook.
pub(crate) fn contrast(manifest: &mut Value, name: &str, (baseline, arm): (&str, &str)) {
    let contrasts = manifest["plan"]["contrasts"].as_array_mut().unwrap();
    let effect = json!({"name": name, "baseline": baseline, "arm": arm, "role": "effect"});
    contrasts.insert(contrasts.len() - 1, effect);
}
