//! The duties of process 1: it reaps orphaned children, and only SIGTERM and SIGINT end it.

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Returns the children that have ended and that were not reaped yet.
pub(crate) fn reap() -> Vec<WaitStatus> {
    let mut ended = Vec::new();
    while let Ok(status) = waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            break;
        }
        ended.push(status);
    }
    ended
}

/// An event that a signal reports to process 1.
pub(crate) enum ProcessEvent {
    /// These children have ended.
    ChildrenEnded(Vec<WaitStatus>),
    /// This process must end.
    Terminate,
}

/// Blocked signals that this process waits for.
pub(crate) struct Signals(SigSet);

impl Signals {
    /// Blocks the signals in this thread and in all threads and processes that it starts later. Programs that need the
    /// signals must be started before.
    pub(crate) fn block() -> Result<Self> {
        let signals: SigSet = [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT].into_iter().collect();
        signals.thread_block().context("cannot block signals")?;
        Ok(Self(signals))
    }

    /// Waits for the next event.
    pub(crate) fn wait(&self) -> Result<ProcessEvent> {
        if self.0.wait().context("cannot wait for signals")? != Signal::SIGCHLD {
            return Ok(ProcessEvent::Terminate);
        }
        // One signal may stand for several children.
        Ok(ProcessEvent::ChildrenEnded(reap()))
    }

    /// Waits for SIGTERM or SIGINT.
    pub(crate) fn idle(&self) -> Result<()> {
        while !matches!(self.wait()?, ProcessEvent::Terminate) {}
        Ok(())
    }
}
