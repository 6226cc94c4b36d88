//! From a treatment to the environment of a server: the one place that knows the hook's variables.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use crate::definition::{Arm, Treatment};

impl Treatment {
    /// The hook's mode, `None` where it is not loaded.
    pub(crate) fn mode(self) -> Option<&'static str> {
        match self {
            Self::Unmodified => None,
            Self::Forward => Some("forward"),
            Self::Track => Some("track"),
            Self::Scan => Some("scan"),
            Self::Log => Some("log"),
            Self::Upstream => Some("upstream"),
            Self::Delay => Some("delay"),
        }
    }

    /// As recorded.
    pub(crate) fn name(self) -> &'static str {
        self.mode().unwrap_or("unmodified")
    }
}

impl Arm {
    /// Whether the hook is to leave a record of each payload receive: the calibration needs it.
    pub(crate) fn has_records(&self) -> bool {
        self.records || self.treatment == Treatment::Delay
    }

    /// Room in its telemetry for so many records; 0 asks for the counters alone.
    pub(crate) fn telemetry_records(&self, rounds: u64) -> Result<u32> {
        Ok(if self.has_records() {
            u32::try_from(rounds)?.saturating_mul(2)
        } else {
            0
        })
    }
}

/// The variables that give an arm its treatment.
pub(crate) fn environment(arm: &Arm, hook: &Path, log: &Path, telemetry: &Path) -> Vec<(&'static str, OsString)> {
    let Some(mode) = arm.treatment.mode() else {
        return Vec::new();
    };
    let mut variables = vec![
        ("LD_PRELOAD", hook.into()),
        ("READHOOK_MODE", mode.into()),
        ("READHOOK_TELEMETRY", telemetry.into()),
    ];
    if matches!(arm.treatment, Treatment::Log | Treatment::Upstream) {
        variables.push(("READHOOK_LOG", log.into()));
    }
    if let Some(delay_ns) = arm.delay_ns {
        variables.push(("READHOOK_DELAY_NS", delay_ns.to_string().into()));
    }
    if let Some(every) = arm.delay_every {
        variables.push(("READHOOK_DELAY_EVERY", every.to_string().into()));
    }
    variables
}
