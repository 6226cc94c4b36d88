//! The folder of a run that is not finished. `plan.json` identifies the run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use dataset::UnfinishedLaunch;
use model::{Condition, Experiment, LaunchRecord};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::run::registration::Registration;
use crate::run::working_tree::WorkingTree;

/// The file that identifies a run.
pub(crate) const PLAN: &str = "plan.json";

/// The identity of a run, in `plan.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunPlan {
    pub(crate) experiment: Experiment,
    /// SHA-256 of the hook, so that launches of two builds are never mixed.
    pub(crate) hook_sha256: String,
    pub(crate) started_unix_ns: i64,
    /// The registered plan, the machine and the commit; `None` for a run that no plan asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) registration: Option<Registration>,
}

fn read_plan(file: &Path) -> Result<RunPlan> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is of another version; choose another --out", file.display()))
}

/// The folder of a run.
#[derive(Debug)]
pub(crate) struct RunFolder {
    pub(crate) path: PathBuf,
    pub(crate) plan: RunPlan,
}

impl RunFolder {
    /// Starts a run, or continues the run in the folder. `tree` is the checkout of a recording by the registered plan.
    ///
    /// # Errors
    /// If the folder holds another run, or cannot be read or written.
    pub(crate) fn open(path: &Path, plan: RunPlan, tree: Option<&WorkingTree>) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        let file = path.join(PLAN);
        let plan = if file.exists() {
            let known = read_plan(&file)?;
            match (&known.registration, &plan.registration, tree) {
                (None, None, _) => {}
                (Some(known), Some(now), Some(tree)) => known
                    .may_go_on_as(now, tree)
                    .with_context(|| format!("cannot continue {}", path.display()))?,
                (Some(_), _, _) => bail!(
                    "{} holds a recording by the registered plan, which `cargo xtask record` continues; choose another --out",
                    path.display()
                ),
                (None, _, _) => bail!(
                    "{} holds a run that no registered plan asked for; give the folder another name",
                    path.display()
                ),
            }
            if known.experiment != plan.experiment {
                bail!(
                    "{} holds a run of another experiment or with other options; choose another --out",
                    path.display()
                );
            }
            if known.hook_sha256 != plan.hook_sha256 {
                bail!(
                    "{} holds launches of another build of the hook; choose another --out",
                    path.display()
                );
            }
            known
        } else {
            dataset::write_json(&file, &plan)?;
            plan
        };
        // A killed run left unfinished launches, which start again.
        dataset::remove_unfinished_launches(path)?;
        Ok(Self {
            path: path.to_owned(),
            plan,
        })
    }

    /// Returns the registered plan, the machine and the commit of the recording in a folder; `None` if the folder holds no run, or
    /// one that no plan asked for.
    ///
    /// # Errors
    /// If the folder holds a run of another version.
    pub(crate) fn registration(path: &Path) -> Result<Option<Registration>> {
        let file = path.join(PLAN);
        Ok(file
            .exists()
            .then(|| read_plan(&file))
            .transpose()?
            .and_then(|plan| plan.registration))
    }

    /// Returns an identifier of the run that every engine accepts as a label and in a name: the beginning of the folder's name and
    /// the beginning of the SHA-256 of its path.
    pub(crate) fn id(&self) -> String {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let mut name: String = name
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
            .take(28)
            .collect();
        name.push('-');
        let mark = hex::encode(Sha256::digest(path.as_os_str().as_encoded_bytes()));
        name + &mark[..8]
    }

    /// Returns the name of the run: the folder's name, for a cell of a grid `GRID/CELL`.
    pub(crate) fn run_id(&self) -> String {
        let parts = if self.plan.experiment.cell.is_empty() { 1 } else { 2 };
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut names: Vec<String> = path
            .components()
            .rev()
            .take(parts)
            .map(|name| name.as_os_str().to_string_lossy().into_owned())
            .collect();
        names.reverse();
        names.join("/")
    }

    /// Returns the record of a launch; `None` if it is not finished.
    pub(crate) fn finished(&self, condition: Condition, launch: u32) -> Result<Option<LaunchRecord>> {
        Ok(dataset::read_launch(&self.path, condition.name(), launch)?)
    }

    /// Makes the folder for the files of a launch.
    pub(crate) fn begin(&self, condition: Condition, launch: u32) -> Result<UnfinishedLaunch> {
        Ok(UnfinishedLaunch::begin(&self.path, condition.name(), launch)?)
    }
}
