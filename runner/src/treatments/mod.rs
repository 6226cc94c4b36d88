//! From a treatment to the environment of a server: the one place that knows the hook's variables.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;
use model::{Arm, Treatment};

/// Room in an arm's telemetry for so many records; 0 asks for the counters alone.
pub(crate) fn telemetry_records(arm: &Arm, rounds: u64) -> Result<u32> {
    if arm.has_records() { records(rounds) } else { Ok(0) }
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
