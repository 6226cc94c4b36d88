//! Signals that end the runner.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use engines::Stop;

/// Returns a flag that SIGINT and SIGTERM set.
///
/// # Errors
/// If the kernel refuses the handlers.
pub(crate) fn stop_flag() -> Result<Stop> {
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stopped))?;
    }
    Ok(stopped)
}
