//! One file per verb.

pub(crate) mod image;
pub(crate) mod inject;
pub(crate) mod provision;

use std::io;
use std::sync::Arc;

use engines::Stop;

/// Set by Ctrl-C and SIGTERM.
fn stop() -> io::Result<Stop> {
    let stop = Stop::default();
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}
