//! The flag that a signal sets.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Set by Ctrl-C or SIGTERM. Every wait for an engine or a program reads it at least ten times a second and ends with
/// [`crate::EngineError::Stopped`].
pub type Stop = Arc<AtomicBool>;
