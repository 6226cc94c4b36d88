//! From a treatment to the environment of a server: the one place that knows the hook's variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::definition::{Arm, Treatment};

/// A shared object that is not ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preload {
    pub(crate) path: PathBuf,
    /// Checksum, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    /// What it needs to be told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) environment: BTreeMap<String, String>,
}

impl Treatment {
    /// The mode of our own hook, `None` where that is not loaded.
    pub(crate) fn mode(self) -> Option<&'static str> {
        match self {
            Self::Unmodified | Self::Preload => None,
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
        match self {
            Self::Preload => "preload",
            other => other.mode().unwrap_or("unmodified"),
        }
    }
}

impl Arm {
    /// Whether the hook is to leave a record of each payload receive: the calibration needs it.
    pub(crate) fn has_records(&self) -> bool {
        self.records || self.treatment == Treatment::Delay
    }

    /// Room in its telemetry for so many records; 0 asks for the counters alone.
    pub(crate) fn telemetry_records(&self, rounds: u64) -> Result<u32> {
        if self.has_records() { records(rounds) } else { Ok(0) }
    }
}

/// Room for a record of each request of so many rounds, and as much again for requests that come in parts.
pub(crate) fn records(rounds: u64) -> Result<u32> {
    Ok(u32::try_from(rounds)?.saturating_mul(2))
}

/// The shared object that an arm loads; `own` is our hook.
pub(crate) fn loaded<'a>(arm: &'a Arm, own: &'a Path) -> Option<&'a Path> {
    match &arm.preload {
        Some(preload) => Some(&preload.path),
        None => arm.treatment.mode().map(|_| own),
    }
}

/// The variables that give an arm its treatment; `telemetry` is there where the hook is ours.
pub(crate) fn environment(
    arm: &Arm,
    own: &Path,
    words: Option<&Path>,
    log: &Path,
    telemetry: Option<&Path>,
) -> Vec<(String, OsString)> {
    let mut variables: Vec<(&str, OsString)> = Vec::new();
    if let Some(hook) = loaded(arm, own) {
        variables.push(("LD_PRELOAD", hook.into()));
    }
    if let Some(preload) = &arm.preload {
        variables.extend(preload.environment.iter().map(|(name, value)| (&**name, value.into())));
    }
    if let (Some(mode), Some(telemetry)) = (arm.treatment.mode(), telemetry) {
        variables.extend([("READHOOK_MODE", mode.into()), ("READHOOK_TELEMETRY", telemetry.into())]);
    }
    if matches!(arm.treatment, Treatment::Log | Treatment::Upstream) {
        variables.push(("READHOOK_LOG", log.into()));
    }
    if let Some(words) = words.filter(|_| arm.treatment.mode().is_some()) {
        variables.push(("READHOOK_WORDS", words.into()));
    }
    if let Some(delay_ns) = arm.delay_ns {
        variables.push(("READHOOK_DELAY_NS", delay_ns.to_string().into()));
    }
    if let Some(every) = arm.delay_every {
        variables.push(("READHOOK_DELAY_EVERY", every.to_string().into()));
    }
    let named = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
    named.collect()
}
