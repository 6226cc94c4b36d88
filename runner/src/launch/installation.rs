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
    /// From this program's folder, the hook beside it or given, and the processors that are allowed.
    pub(crate) fn find(given: Option<&Path>) -> Result<Self> {
        let binaries = binaries()?;
        Ok(Self {
            hook: hook(given, &binaries)?,
            binaries,
            cpus: LaunchCpus::choose(&isolation::allowed_cpus()?).context("this process may run on no processor")?,
        })
    }

    /// A launch, its files in `folder`.
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

/// The folder of the project's binaries: this program's own.
pub(crate) fn binaries() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let folder = own.parent().unwrap_or(Path::new("/")).to_owned();
    for name in ["sut", "loadgen"] {
        ensure!(
            folder.join(name).exists(),
            "{name} is not in {}; build it by `cargo xtask build`",
            folder.display()
        );
    }
    Ok(folder)
}

pub(crate) fn hook(given: Option<&Path>, binaries: &Path) -> Result<PathBuf> {
    let beside = binaries.join("../hook/libreadhook.so");
    let path = given.unwrap_or(&beside);
    // The memory map has the resolved name.
    path.canonicalize().with_context(|| {
        format!(
            "the hook {} is not there; build it by `cargo xtask build`",
            path.display()
        )
    })
}
