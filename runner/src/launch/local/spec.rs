//! The description of a local launch for the process in which it happens.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use model::{Condition, Experiment, IsolationLevel, Topology};
use serde::{Deserialize, Serialize};

use crate::launch::context::Launch;
use crate::launch::local::control_groups::ProcessGroups;
use crate::launch::order::LaunchOrder;

/// A local launch, as JSON from the runner to its child.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LaunchSpec {
    /// The name of the run; empty if none is recorded.
    pub(crate) run: String,
    pub(crate) experiment: Experiment,
    pub(crate) topology: Topology,
    pub(crate) level: IsolationLevel,
    pub(crate) launch: u32,
    /// The folder for unfinished files; the runner removes it.
    pub(crate) folder: PathBuf,
    /// The folder of the binaries `sut`, `loadgen` and `runner`.
    pub(crate) binaries: PathBuf,
    pub(crate) hook: PathBuf,
    /// The compiled words, if the experiment has its own.
    pub(crate) words: Option<PathBuf>,
    pub(crate) cpus: LaunchCpus,
    /// Control groups; empty without limits.
    pub(crate) groups: ProcessGroups,
    /// The reason why the experiment's limits are not set; `None` if they are set.
    pub(crate) without_limits: Option<String>,
    pub(crate) task: LaunchTask,
}

/// The task of the process in which the launch happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LaunchTask {
    /// Start and measure all arms.
    Measure,
    /// Start the arm of this name and send it requests, without measuring it.
    Try(String),
    /// Start an arm and send it requests, to observe the functions by which it receives. With a file, its system calls are
    /// traced into the file.
    Observe { arm: String, trace: Option<PathBuf> },
}

/// The processors of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LaunchCpus {
    pub(crate) arms: usize,
    pub(crate) loadgen: usize,
    /// The processor of the thread that watches resources.
    pub(crate) monitor: usize,
}

impl LaunchCpus {
    /// Chooses the last allowed processor for the load generator and the first for all arms. The thread that samples
    /// resources gets another processor if there is one. Otherwise it runs on the processor of the arms, which are idle
    /// during the load generator's part of a round trip. It never runs on the processor of the load generator.
    pub(crate) fn choose(allowed: &[usize]) -> Option<Self> {
        Some(Self {
            arms: *allowed.first()?,
            loadgen: *allowed.last()?,
            monitor: *allowed.get(1).filter(|_| allowed.len() > 2).or(allowed.first())?,
        })
    }

    /// Whether the load generator shares its processor with the arms.
    pub(crate) fn shared(self) -> bool {
        self.arms == self.loadgen
    }
}

impl LaunchSpec {
    /// Reads the description that the runner wrote.
    ///
    /// # Errors
    /// If the file cannot be read, or describes no launch.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} describes no launch", path.display()))
    }

    /// The condition of the launch.
    pub(crate) fn condition(&self) -> Condition {
        Condition::Local(self.topology)
    }

    /// The launch, with its permutations, and with free ports where it has no network of its own.
    ///
    /// # Errors
    /// If no ports are free.
    pub(crate) fn launch(&self) -> Result<Launch<'_>> {
        let experiment = &self.experiment;
        let order = LaunchOrder::draw(experiment.seed, self.condition(), self.launch, experiment.arms.len());
        Ok(Launch {
            run: &self.run,
            experiment,
            condition: self.condition(),
            number: self.launch,
            order: match self.level {
                IsolationLevel::Namespaces | IsolationLevel::UserNamespaces => order,
                IsolationLevel::Loopback => order.among_others(1 + experiment.proxies.len())?,
            },
            folder: &self.folder,
        })
    }
}
