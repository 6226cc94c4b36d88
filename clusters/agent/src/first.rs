//! Being process 1: children that nobody else waits for are waited for, and only SIGTERM and SIGINT end it.

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// What process 1 hears of.
pub(crate) enum Event {
    /// These children have ended.
    Ended(Vec<WaitStatus>),
    /// It is to end.
    End,
}

/// Signals that are waited for instead of being acted on.
pub(crate) struct Signals(SigSet);

impl Signals {
    /// Blocks the signals in this thread and those that it will start; children begin with none blocked.
    pub(crate) fn block() -> Result<Self> {
        let signals: SigSet = [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT].into_iter().collect();
        signals.thread_block().context("cannot block signals")?;
        Ok(Self(signals))
    }

    /// Sleeps until something happens.
    pub(crate) fn wait(&self) -> Result<Event> {
        if self.0.wait().context("cannot wait for signals")? != Signal::SIGCHLD {
            return Ok(Event::End);
        }
        // One signal may stand for several children.
        let mut ended = Vec::new();
        while let Ok(status) = waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            if status == WaitStatus::StillAlive {
                break;
            }
            ended.push(status);
        }
        Ok(Event::Ended(ended))
    }

    /// Waits for the end alone.
    pub(crate) fn idle(&self) -> Result<()> {
        while !matches!(self.wait()?, Event::End) {}
        Ok(())
    }
}
