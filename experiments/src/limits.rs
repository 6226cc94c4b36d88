//! What an experiment allows its servers and its prober.

use anyhow::{Result, ensure};
use clusters::container;
use serde::{Deserialize, Serialize};

use crate::definition::{Arm, Experiment};

/// What one process may use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// CPU time by time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quota_cores: Option<f64>,
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) memory_bytes: Option<u64>,
}

/// The table `[limits]`: of each arm, where the arm has none of its own, and of the prober.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExperimentLimits {
    /// CPU time by time of each arm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quota_cores: Option<f64>,
    /// Memory of each arm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
    /// The prober's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loadgen: Option<Limits>,
}

impl Limits {
    /// As a container engine is told.
    pub(crate) fn of_container(self) -> container::Limits {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "validated to be 0.01 to 1024"
        )]
        let millicores = |cores: f64| (cores * 1_000.0).round() as u32;
        container::Limits {
            millicores: self.quota_cores.map(millicores),
            memory_bytes: self.memory_bytes,
        }
    }

    fn any(self) -> bool {
        self.quota_cores.is_some() || self.memory_bytes.is_some()
    }
}

impl Experiment {
    /// What an arm is limited to.
    pub(crate) fn arm_limits(&self, arm: &Arm) -> Limits {
        let (own, all) = (arm.limits.unwrap_or_default(), self.limits);
        Limits {
            quota_cores: own.quota_cores.or(all.and_then(|all| all.quota_cores)),
            memory_bytes: own.memory_bytes.or(all.and_then(|all| all.memory_bytes)),
        }
    }

    /// What the prober is limited to.
    pub(crate) fn loadgen_limits(&self) -> Limits {
        self.limits.and_then(|limits| limits.loadgen).unwrap_or_default()
    }

    /// Refuses limits under which nothing could run, or that no kernel can set.
    pub(crate) fn validate_limits(&self) -> Result<()> {
        let arms = self.arms.iter().map(|arm| (arm.name.as_str(), self.arm_limits(arm)));
        for (name, limits) in arms.chain([("loadgen", self.loadgen_limits())]) {
            let quota = limits.quota_cores.unwrap_or(1.0);
            ensure!(
                (0.01..=1024.0).contains(&quota),
                "limits of {name}: quota_cores: {quota}; expected 0.01 to 1024 processors"
            );
            let bytes = limits.memory_bytes.unwrap_or(u64::MAX);
            ensure!(
                bytes >= 6 << 20,
                "limits of {name}: memory_bytes: {bytes}; expected at least {}, with which a container can start",
                6 << 20
            );
        }
        Ok(())
    }

    /// Whether anything is to be limited.
    pub(crate) fn has_limits(&self) -> bool {
        self.loadgen_limits().any() || self.arms.iter().any(|arm| self.arm_limits(arm).any())
    }
}
