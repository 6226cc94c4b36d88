//! The hook's counters in a server.

use std::path::Path;

use anyhow::Result;
use hook_tests::{built, telemetry_bytes, telemetry_file};
use readhook_telemetry::{Counters, View};

/// Returns the environment of a hooked server that counts and logs.
pub(crate) fn logging(directory: &Path, log: &Path) -> Result<Vec<(&'static str, String)>> {
    let telemetry = directory.join("telemetry");
    telemetry_file(&telemetry, 0)?;
    Ok(vec![
        ("LD_PRELOAD", built().hook.display().to_string()),
        ("READHOOK_MODE", "log".to_owned()),
        ("READHOOK_LOG", log.display().to_string()),
        ("READHOOK_TELEMETRY", telemetry.display().to_string()),
    ])
}

/// Returns the counters of the telemetry file in a folder.
pub(crate) fn counters(directory: &Path) -> Result<Counters> {
    let bytes = telemetry_bytes(&directory.join("telemetry"))?;
    Ok(View::parse(&bytes)?.counters())
}
