//! The system call without a safe wrapper.
#![expect(unsafe_code, reason = "nix has no wrapper of sched_setscheduler")]

use nix::errno::Errno;

use crate::error::IsolationError;

/// Puts this thread into the scheduling class for idle processors: it runs only when no other thread needs its processor.
///
/// # Errors
/// When the kernel refuses.
pub fn use_idle_scheduling() -> Result<(), IsolationError> {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the structure lives through the call, which only reads it; 0 is the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) };
    Errno::result(result)
        .map(drop)
        .map_err(IsolationError::system("use idle scheduling"))
}
