//! SIGINT and SIGTERM end a run after the round in progress.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};

/// Number of the signal that arrived; 0 before.
static RECEIVED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Makes SIGINT and SIGTERM end a run after the round in progress. [`received_signal`] returns the signal.
///
/// # Errors
/// When a signal handler cannot be installed.
pub fn stop_on_signals() -> io::Result<()> {
    let received = RECEIVED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        let number = usize::try_from(signal).map_err(io::Error::other)?;
        signal_hook::flag::register_usize(signal, Arc::clone(received), number)?;
    }
    Ok(())
}

/// Returns the number of the signal that asked the run to stop.
#[must_use]
pub fn received_signal() -> Option<i32> {
    let number = RECEIVED.get()?.load(Ordering::Relaxed);
    i32::try_from(number).ok().filter(|number| *number != 0)
}
