//! The file of the registered plan, and the definitions to which it must fit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use model::{Experiment, GridExtent, PlannedRun, RegisteredPlan};

use crate::experiment_file;

/// The registered plan of the project, from the project's folder.
pub(super) const REGISTERED: &str = "experiments/plan.toml";
/// The file with the claims and their thresholds.
const CLAIMS: &str = "analysis/claims.toml";

/// A registered plan with its hash.
#[derive(Debug)]
pub(super) struct PlanFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) plan: RegisteredPlan,
}

/// A run of the plan with its experiments: one, or one for each cell of its grid.
#[derive(Debug)]
pub(super) struct PlannedRecording<'a> {
    pub(super) run: &'a PlannedRun,
    pub(super) cells: Vec<Experiment>,
}

impl PlanFile {
    /// Reads a plan.
    ///
    /// # Errors
    /// If the file cannot be read or is no plan.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read the plan {}", path.display()))?;
        let plan = RegisteredPlan::parse(&text).with_context(|| path.display().to_string())?;
        Ok(Self {
            path: path.to_owned(),
            text,
            plan,
        })
    }

    /// Returns the SHA-256 of the file, in hexadecimal.
    pub(super) fn sha256(&self) -> String {
        dataset::sha256_of(self.text.as_bytes())
    }

    /// Returns the files whose hashes the plan must have: the definitions' own files are apart.
    ///
    /// # Errors
    /// If a definition cannot be read.
    pub(super) fn named_files(&self) -> Result<BTreeSet<PathBuf>> {
        let mut named = BTreeSet::new();
        for run in &self.plan.runs {
            named.extend(experiment_file::named_files(&run.definition, extent(run))?);
        }
        // A plan without claims needs no thresholds.
        if !self.plan.claims.is_empty() {
            named.insert(PathBuf::from(CLAIMS));
        }
        Ok(named)
    }

    /// Returns the plan's files: the plan itself, the definitions, and the files that they name.
    pub(super) fn files(&self) -> BTreeSet<PathBuf> {
        let definitions = self.plan.runs.iter().map(|run| run.definition.clone());
        let others = self.plan.files.keys().cloned();
        definitions.chain(others).chain([self.path.clone()]).collect()
    }

    /// Returns the runs of some names, or all, with the conditions and launches that the plan states.
    ///
    /// # Errors
    /// Names each difference between the plan and the definitions, with both values, or the run that the plan does not have.
    pub(super) fn recordings(&self, only: &[String]) -> Result<Vec<PlannedRecording<'_>>> {
        for name in only {
            ensure!(
                self.plan.run(name).is_some(),
                "the plan has no run {name}; it has {}",
                self.plan
                    .runs
                    .iter()
                    .map(|run| &*run.name)
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
        let mut differences = self.differing_files()?;
        let mut recordings = Vec::new();
        for run in &self.plan.runs {
            let mut cells = experiment_file::read(&run.definition, extent(run))?;
            let found = run.differences(&cells).into_iter();
            differences.extend(found.map(|difference| format!("{}: {difference}", run.name)));
            // A level can name fewer conditions than the definition. Such a cell keeps those of them that the plan has.
            let common = cells.first().map(|cell| cell.conditions.clone()).unwrap_or_default();
            for cell in &mut cells {
                cell.launches = run.launches_of(&cell.cell);
                if cell.conditions == common {
                    cell.conditions.clone_from(&run.conditions);
                } else {
                    cell.conditions.retain(|condition| run.conditions.contains(condition));
                }
            }
            cells.retain(|cell| !cell.conditions.is_empty());
            for cell in &cells {
                cell.validate().with_context(|| format!("run {}", run.name))?;
            }
            if only.is_empty() || only.contains(&run.name) {
                recordings.push(PlannedRecording { run, cells });
            }
        }
        if !differences.is_empty() {
            bail!(
                "{} does not fit this tree:\n  {}\n`cargo xtask record --refresh` copies the definitions' values into the plan. \
                 The plan then has another hash, and recordings by the present plan become exploratory",
                self.path.display(),
                differences.join("\n  ")
            );
        }
        Ok(recordings)
    }

    /// Returns the files that have another hash than the plan's, or none in the plan.
    fn differing_files(&self) -> Result<Vec<String>> {
        let mut planned: BTreeMap<PathBuf, Option<&str>> =
            self.named_files()?.into_iter().map(|path| (path, None)).collect();
        planned.extend(
            self.plan
                .files
                .iter()
                .map(|(path, sha256)| (path.clone(), Some(&**sha256))),
        );
        planned.extend(
            self.plan
                .runs
                .iter()
                .map(|run| (run.definition.clone(), Some(&*run.sha256))),
        );
        let mut differences = Vec::new();
        for (path, planned) in planned {
            let found = dataset::sha256(&path)?;
            let path = path.display();
            match planned {
                None => differences.push(format!("{path}: the plan has no SHA-256 of it in [files]")),
                Some(planned) if planned != found => {
                    differences.push(format!("{path}: the plan has SHA-256 {planned}, the file {found}"));
                }
                Some(_) => {}
            }
        }
        Ok(differences)
    }
}

/// Returns the cells that a run has.
pub(super) const fn extent(run: &PlannedRun) -> GridExtent {
    if run.full_grid {
        GridExtent::Full
    } else {
        GridExtent::Default
    }
}

impl PlannedRecording<'_> {
    /// Returns whether the run is one experiment and no grid.
    pub(super) fn has_no_factors(&self) -> bool {
        self.cells.iter().all(|cell| cell.cell.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registered_plan_repeats_the_definitions() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        std::env::set_current_dir(root).unwrap();
        let plan = PlanFile::read(Path::new(REGISTERED)).unwrap();
        let recordings = plan.recordings(&[]).unwrap_or_else(|error| panic!("{error:#}"));
        assert_eq!(recordings.len(), plan.plan.runs.len());
    }
}
