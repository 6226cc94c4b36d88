//! What the runner tells the process in which a launch happens.

use std::path::PathBuf;

use model::{Condition, Experiment, IsolationLevel, Topology};
use serde::{Deserialize, Serialize};

use crate::launch::local::control_groups::Groups;
use crate::launch::order::Order;

/// One launch, as JSON from the runner to its child.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LaunchSpec {
    /// Name of the run; empty where no run is recorded.
    pub(crate) run: String,
    pub(crate) experiment: Experiment,
    pub(crate) topology: Topology,
    pub(crate) level: IsolationLevel,
    pub(crate) launch: u32,
    /// Where unfinished files go; the runner removes it.
    pub(crate) folder: PathBuf,
    /// Binaries `sut` and `loadgen`.
    pub(crate) binaries: PathBuf,
    pub(crate) hook: PathBuf,
    /// Compiled words, where they are not the hook's own.
    pub(crate) words: Option<PathBuf>,
    /// Processors of the arms and of the prober.
    pub(crate) cpus: Cpus,
    /// Where there are limits, and they can be set.
    pub(crate) groups: Groups,
    /// Why limits that were asked for are not set.
    pub(crate) without_limits: Option<String>,
    pub(crate) task: Task,
}

/// What is to be done in the place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// All arms are started and measured.
    Measure,
    /// One arm is started and asked, without being measured.
    Try(String),
    /// One arm is started and asked, to see by what it receives; where there is a file, it is traced into that.
    Observe { arm: String, trace: Option<PathBuf> },
}

/// Which processors do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cpus {
    pub(crate) arms: usize,
    pub(crate) loadgen: usize,
    /// Of the thread that watches resources.
    pub(crate) monitor: usize,
}

impl Cpus {
    /// The last allowed processor for the prober, the first for all arms. Whoever watches gets another one where there is
    /// one, else the arms', which idle while the prober's part of a round trip lasts; never the prober's.
    pub(crate) fn choose(allowed: &[usize]) -> Option<Self> {
        Some(Self {
            arms: *allowed.first()?,
            loadgen: *allowed.last()?,
            monitor: *allowed.get(1).filter(|_| allowed.len() > 2).or(allowed.first())?,
        })
    }

    /// Whether the prober shares its processor with the arms.
    pub(crate) fn shared(self) -> bool {
        self.arms == self.loadgen
    }
}

impl LaunchSpec {
    /// The place, among the conditions.
    pub(crate) fn condition(&self) -> Condition {
        Condition::Local(self.topology)
    }

    /// What is permuted in this launch, with ports that nobody has.
    pub(crate) fn order(&self, experiment: &Experiment) -> anyhow::Result<Order> {
        let order = Order::draw(experiment.seed, self.condition(), self.launch, experiment.arms.len());
        match self.level {
            IsolationLevel::Namespaces | IsolationLevel::UserNamespaces => Ok(order),
            IsolationLevel::Loopback => order.among_others(1 + experiment.proxies.len()),
        }
    }
}

/// The common stem of a launch's files.
pub(crate) fn stem(condition: Condition, launch: u32) -> String {
    format!("{condition}-{launch:04}")
}
