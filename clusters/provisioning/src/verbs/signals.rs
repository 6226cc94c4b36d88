//! Signals that end the program in order.

use std::io;
use std::sync::Arc;

use engines::Stop;

/// Returns a flag that Ctrl-C and SIGTERM set.
pub(super) fn stop() -> io::Result<Stop> {
    let stop = Stop::default();
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}
