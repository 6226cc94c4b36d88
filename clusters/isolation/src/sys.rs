//! The system call that no checked wrapper offers.
#![expect(unsafe_code, reason = "sched_setscheduler has no wrapper")]

use nix::errno::Errno;

use crate::error::IsolationError;

/// Lets this thread run only when nobody else wants its processor, and be pushed aside at once when somebody does.
///
/// # Errors
/// When the kernel refuses.
pub fn give_way() -> Result<(), IsolationError> {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the structure lives through the call, which only reads it; 0 is the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) };
    Errno::result(result)
        .map(drop)
        .map_err(IsolationError::system("give way to others"))
}
