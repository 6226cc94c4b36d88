//! What an experiment allows its servers and its prober, and the control groups that hold a local launch to it.

use std::collections::BTreeMap;

use anyhow::Result;
use engines::ContainerLimits;
use isolation::LaunchGroups;
use model::{Arm, Condition, LimitEnforcement, ResourceLimits};
use monitor::ControlGroup;
use serde::{Deserialize, Serialize};

use crate::definition::Experiment;

/// The control groups of a launch's processes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Groups {
    /// By the arm's name; without limits an arm has none.
    pub(crate) arms: BTreeMap<String, ControlGroup>,
    pub(crate) loadgen: Option<ControlGroup>,
    /// It has one whether it is limited or not.
    pub(crate) neighbour: Option<ControlGroup>,
}

/// As a container engine is told.
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

impl Experiment {
    /// What an arm is limited to.
    pub(crate) fn arm_limits(&self, arm: &Arm) -> ResourceLimits {
        let of_all = self.limits.unwrap_or_default().arms();
        arm.limits.unwrap_or_default().or(of_all)
    }

    /// What the prober is limited to.
    pub(crate) fn loadgen_limits(&self) -> ResourceLimits {
        self.limits.and_then(|limits| limits.loadgen).unwrap_or_default()
    }

    /// What the neighbour is limited to.
    fn neighbour_limits(&self) -> ResourceLimits {
        let limits = self.neighbour.as_ref().and_then(|neighbour| neighbour.limits);
        limits.unwrap_or_default()
    }

    /// Refuses limits under which nothing could run, or that no kernel can set.
    pub(crate) fn validate_limits(&self) -> Result<()> {
        let local = |condition: &Condition| matches!(condition, Condition::Local(_));
        // A container starts with more than a process.
        let least_bytes = if self.conditions.iter().all(local) {
            1 << 20
        } else {
            6 << 20
        };
        let arms = self.arms.iter().map(|arm| (arm.name.as_str(), self.arm_limits(arm)));
        let others = [
            ("loadgen", self.loadgen_limits()),
            ("neighbour", self.neighbour_limits()),
        ];
        for (name, limits) in arms.chain(others) {
            limits
                .validate(least_bytes)
                .map_err(|error| error.within(format!("limits of {name}")))?;
        }
        Ok(())
    }

    /// Whether anything is to be limited.
    pub(crate) fn has_limits(&self) -> bool {
        self.loadgen_limits().any()
            || self.neighbour_limits().any()
            || self.arms.iter().any(|arm| self.arm_limits(arm).any())
    }
}

/// By what an experiment's limits can be set here, or why they cannot; nothing is needed where it has none.
pub(crate) fn enforcement(experiment: &Experiment) -> Result<LimitEnforcement, String> {
    if experiment.has_limits() {
        available()
    } else {
        Ok(LimitEnforcement::None)
    }
}

/// By what limits can be set here: tried.
pub(crate) fn available() -> Result<LimitEnforcement, String> {
    let smallest = ResourceLimits {
        quota_cores: Some(0.01),
        memory_bytes: Some(1 << 20),
    };
    LaunchGroups::create("trial")
        .and_then(|groups| groups.add("trial", smallest))
        .map(|group| group.enforcement())
        .map_err(|error| error.to_string())
}

/// Makes the groups of a launch; they are removed when the first of the pair is dropped.
pub(crate) fn enforce(experiment: &Experiment, run: &str) -> Result<(Option<LaunchGroups>, Groups)> {
    let mut groups = Groups::default();
    if !experiment.has_limits() && experiment.neighbour.is_none() {
        return Ok((None, groups));
    }
    let launch = match LaunchGroups::create(run) {
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
