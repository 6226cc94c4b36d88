//! The control groups that enforce an experiment's limits in a local launch.

use std::collections::BTreeMap;

use anyhow::Result;
use engines::ContainerLimits;
use isolation::LaunchControlGroups;
use model::{Experiment, LimitEnforcement, ResourceLimits};
use monitor::ControlGroup;
use serde::{Deserialize, Serialize};

/// The control groups of a launch's processes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProcessGroups {
    /// By the arm's name. An arm without limits has none.
    pub(crate) arms: BTreeMap<String, ControlGroup>,
    pub(crate) loadgen: Option<ControlGroup>,
    /// The neighbour has one with and without limits.
    pub(crate) neighbour: Option<ControlGroup>,
}

/// Converts limits to those of a container engine.
pub(crate) fn of_container(limits: ResourceLimits) -> ContainerLimits {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "validated to be 0.01 to 1024"
    )]
    let millicores = |cores: f64| (cores * 1_000.0).round() as u32;
    ContainerLimits {
        millicores: limits.quota_cores.map(millicores),
        memory_bytes: limits.memory_bytes,
    }
}

/// Returns how an experiment's limits are enforced on this machine, or why they cannot be. An experiment without limits needs
/// nothing.
pub(crate) fn enforcement(experiment: &Experiment) -> Result<LimitEnforcement, String> {
    if experiment.has_limits() {
        available()
    } else {
        Ok(LimitEnforcement::None)
    }
}

/// Tries to set limits, and returns how they are enforced on this machine, or why they cannot be.
pub(crate) fn available() -> Result<LimitEnforcement, String> {
    let smallest = ResourceLimits {
        quota_cores: Some(0.01),
        memory_bytes: Some(1 << 20),
    };
    LaunchControlGroups::create("trial")
        .and_then(|groups| groups.add("trial", smallest))
        .map(|group| group.enforcement())
        .map_err(|error| error.to_string())
}

/// Makes the groups of a launch. They are removed when the first value of the pair is dropped.
pub(crate) fn enforce(experiment: &Experiment, run: &str) -> Result<(Option<LaunchControlGroups>, ProcessGroups)> {
    let mut groups = ProcessGroups::default();
    if !experiment.has_limits() && experiment.neighbour.is_none() {
        return Ok((None, groups));
    }
    let launch = match LaunchControlGroups::create(run) {
        Ok(launch) => launch,
        // A neighbour without limits does as well without a group.
        Err(_) if !experiment.has_limits() => return Ok((None, groups)),
        Err(error) => return Err(error.into()),
    };
    for (number, arm) in experiment.arms.iter().enumerate() {
        let limits = experiment.arm_limits(arm);
        if limits.any() {
            let group = launch.add(&format!("arm-{number}"), limits)?;
            groups.arms.insert(arm.name.clone(), group);
        }
    }
    let limits = experiment.loadgen_limits();
    if limits.any() {
        groups.loadgen = Some(launch.add("loadgen", limits)?);
    }
    if experiment.neighbour.is_some() {
        groups.neighbour = Some(launch.add("neighbour", experiment.neighbour_limits())?);
    }
    Ok((Some(launch), groups))
}
