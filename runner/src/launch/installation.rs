//! The parts of the project that every launch needs: binaries, hook, processors.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use model::{Experiment, IsolationLevel, Topology};

use crate::launch::local::control_groups::ProcessGroups;
use crate::launch::local::spec::{LaunchCpus, LaunchSpec, LaunchTask};

/// The binaries, the hook and the processors of this machine's launches.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub(crate) binaries: PathBuf,
    /// The project's hook.
    pub(crate) hook: PathBuf,
    cpus: LaunchCpus,
}

impl Installation {
    /// Finds the binaries in this program's folder, the hook beside that folder or at `given`, and the allowed processors.
    ///
    /// # Errors
    /// If a binary or the hook was not built.
    pub(crate) fn find(given: Option<&Path>) -> Result<Self> {
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        let binaries = own.parent().unwrap_or(Path::new("/")).to_owned();
        for name in ["sut", "loadgen"] {
            ensure!(
                binaries.join(name).exists(),
                "{name} is not in {}; build it by `cargo xtask build`",
                binaries.display()
            );
        }
        let hook = given.map_or_else(|| binaries.join("../hook/libreadhook.so"), Path::to_owned);
        // The memory map has the resolved name.
        let resolved = hook.canonicalize().with_context(|| {
            let hook = hook.display();
            format!("the hook {hook} is not there; build it by `cargo xtask build`")
        })?;
        Ok(Self {
            binaries,
            hook: resolved,
            cpus: LaunchCpus::choose(&isolation::allowed_cpus()?).context("this process may run on no processor")?,
        })
    }

    /// Describes a local launch that measures all arms and keeps its unfinished files in `folder`.
    ///
    /// # Errors
    /// If the current directory does not exist.
    pub(crate) fn launch(
        &self,
        experiment: &Experiment,
        (topology, level): (Topology, IsolationLevel),
        launch: u32,
        folder: &Path,
    ) -> Result<LaunchSpec> {
        Ok(LaunchSpec {
            run: String::new(),
            experiment: experiment.clone(),
            topology,
            level,
            launch,
            folder: std::path::absolute(folder)?,
            binaries: self.binaries.clone(),
            hook: self.hook.clone(),
            words: None,
            cpus: self.cpus,
            groups: ProcessGroups::default(),
            without_limits: None,
            task: LaunchTask::Measure,
        })
    }
}
