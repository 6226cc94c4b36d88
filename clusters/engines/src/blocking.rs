//! Waiting for the futures of asynchronous libraries.

use std::fmt::Display;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::runtime::{Builder, Runtime};

use crate::error::EngineError;
use crate::stop::Stop;

/// Time between two reads of the stop flag.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Runs futures on this thread, one at a time.
#[derive(Debug)]
pub(crate) struct Blocking {
    engine: &'static str,
    runtime: Runtime,
    stop: Stop,
}

impl Blocking {
    /// Makes a runtime for an engine of this name. Its waits end early when `stop` is set.
    pub(crate) fn new(engine: &'static str, stop: Stop) -> Result<Self, EngineError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(EngineError::Runtime)?;
        Ok(Self { engine, runtime, stop })
    }

    /// Waits for a future, or for a signal. `action` completes "cannot …".
    pub(crate) fn wait<T, E: Display>(
        &self,
        action: &str,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, EngineError> {
        self.complete(async { future.await.map_err(|error| self.error(action, &error)) })
    }

    /// Waits for a future whose error is complete, or for a signal.
    pub(crate) fn complete<T>(&self, future: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
        self.runtime.block_on(async {
            match select(pin!(future), pin!(self.stopped())).await {
                Either::Left((result, _)) => result,
                Either::Right(_) => Err(EngineError::Stopped),
            }
        })
    }

    /// Waits for a future that a signal must not end, because it cleans up. `action` completes "cannot …".
    pub(crate) fn wait_uninterrupted<T, E: Display>(
        &self,
        action: &str,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, EngineError> {
        self.complete_uninterrupted(async { future.await.map_err(|error| self.error(action, &error)) })
    }

    /// Waits for a future that a signal must not end and whose error is complete.
    pub(crate) fn complete_uninterrupted<T>(
        &self,
        future: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        self.runtime.block_on(future)
    }

    /// Returns an error with the engine's name, the action and the reason.
    pub(crate) fn error(&self, action: &str, reason: &impl Display) -> EngineError {
        EngineError::Engine {
            engine: self.engine,
            action: action.to_owned(),
            reason: reason.to_string(),
        }
    }

    async fn stopped(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use std::sync::Arc;

    #[test]
    fn a_signal_ends_a_wait_but_no_cleanup() {
        let stop = Stop::default();
        let blocking = Blocking::new("docker", Arc::clone(&stop)).expect("run time");
        assert_eq!(blocking.wait("add", ready(Ok::<_, String>(2))).expect("sum"), 2);
        let error = blocking.wait("add", ready(Err::<u8, _>("full"))).expect_err("refused");
        assert_eq!(error.to_string(), "docker: cannot add: full");
        stop.store(true, Ordering::Relaxed);
        let stopped = blocking.wait("wait", pending::<Result<u8, String>>());
        assert!(matches!(stopped, Err(EngineError::Stopped)));
        assert_eq!(
            blocking
                .wait_uninterrupted("remove", ready(Ok::<_, String>(3)))
                .expect("done"),
            3
        );
    }
}
