//! A run's folder while it grows. `plan.json` says what the run is; a launch is finished when its record is there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use dataset::LaunchRecord;
use model::{Condition, Experiment};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::launch::record::{HOOK_CALLS, OBSERVATIONS, SERVER_CALLS, TIGHT_LOOPS};
use crate::launch::spec::stem;
use crate::launch::watch::RESOURCES;

/// What identifies a run, in `plan.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) experiment: Experiment,
    /// SHA-256 of the hook, so that launches of two builds are never mixed.
    pub(crate) hook_sha256: String,
    pub(crate) started_unix_ns: i64,
}

/// The folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) plan: Plan,
}

impl Folder {
    /// Begins a run, or goes on with the same run.
    pub(crate) fn open(path: &Path, plan: Plan) -> Result<Self> {
        for name in ["observations", "launches"] {
            let folder = path.join(name);
            fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let file = path.join("plan.json");
        let plan = if file.exists() {
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let known: Plan = serde_json::from_str(&text)
                .with_context(|| format!("{} is of another version; choose another --out", file.display()))?;
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
        // What a killed run left: unfinished launches, which begin anew.
        for entry in fs::read_dir(path)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(".unfinished-") {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(Self {
            path: path.to_owned(),
            plan,
        })
    }

    /// A name for the run that any engine takes as a label or as a part of a name: the folder's, as far as it goes, and a
    /// mark of its whole path.
    pub(crate) fn id(&self) -> String {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let mut name: String = name
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
            .take(28)
            .collect();
        name.push('-');
        let mark = dataset::hexadecimal(&Sha256::digest(path.as_os_str().as_encoded_bytes()));
        name + &mark[..8]
    }

    /// The record of a finished launch.
    pub(crate) fn finished(&self, condition: Condition, launch: u32) -> Result<Option<LaunchRecord>> {
        let path = self.path.join(format!("launches/{}.json", stem(condition, launch)));
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let record = serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is damaged; remove it, and the launch is measured again",
                path.display()
            )
        })?;
        Ok(Some(record))
    }

    /// A folder for a launch's unfinished files.
    pub(crate) fn begin(&self, condition: Condition, launch: u32) -> Result<PathBuf> {
        let path = self.path.join(format!(".unfinished-{}", stem(condition, launch)));
        fs::create_dir(&path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(path)
    }

    /// Gives the launch's files their names, the record last.
    pub(crate) fn finish(&self, unfinished: &Path, record: &LaunchRecord) -> Result<()> {
        let to = self.path.join(&record.file);
        fs::rename(unfinished.join(OBSERVATIONS), &to).with_context(|| format!("cannot write {}", to.display()))?;
        let tables = [
            (HOOK_CALLS, record.hook_calls.as_ref()),
            (SERVER_CALLS, record.server_calls.as_ref()),
            (TIGHT_LOOPS, record.tight_loops.as_ref()),
            (RESOURCES, record.monitor.as_ref().map(|monitor| &monitor.file)),
        ];
        for (from, name) in tables {
            let Some(to) = name.map(|name| self.path.join(name)) else {
                continue;
            };
            let folder = to.parent().unwrap_or(&self.path);
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
            fs::rename(unfinished.join(from), &to).with_context(|| format!("cannot write {}", to.display()))?;
        }
        dataset::write_json(&self.path.join(record.own_file()), record)?;
        fs::remove_dir_all(unfinished).with_context(|| format!("cannot remove {}", unfinished.display()))
    }
}
