//! What the runner tells the process in which a launch happens.

use std::path::PathBuf;

use clusters::{Condition, Level, Place};
use serde::{Deserialize, Serialize};

use crate::definition::Experiment;

/// One launch, as JSON from the runner to its child.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LaunchSpec {
    pub(crate) experiment: serde_json::Value,
    pub(crate) place: Place,
    pub(crate) level: Level,
    pub(crate) launch: u32,
    /// Where unfinished files go; the runner removes it.
    pub(crate) folder: PathBuf,
    /// Binaries `sut` and `loadgen`.
    pub(crate) binaries: PathBuf,
    pub(crate) hook: PathBuf,
    /// Processors of the arms and of the prober.
    pub(crate) cpus: Cpus,
}

/// Which processors do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cpus {
    pub(crate) arms: usize,
    pub(crate) loadgen: usize,
}

impl Cpus {
    /// The last allowed processor for the prober, the first for all arms.
    pub(crate) fn choose(allowed: &[usize]) -> Option<Self> {
        Some(Self {
            arms: *allowed.first()?,
            loadgen: *allowed.last()?,
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
        Condition::Local(self.place)
    }

    /// The experiment, which went through its own validation before.
    pub(crate) fn experiment(&self) -> anyhow::Result<Experiment> {
        Experiment::from_plan(&self.experiment)
    }
}

/// The common stem of a launch's files.
pub(crate) fn stem(condition: Condition, launch: u32) -> String {
    format!("{condition}-{launch:04}")
}
